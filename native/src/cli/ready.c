/* SPDX-License-Identifier: MIT */
#include "cli/ready.h"

#include <unistd.h>

#include "common/err.h"
#include "common/util.h"

int announce_ready(struct request *request)
{
	if (request->status_fd >= 0) {
		if (write_all(request->status_fd, "", 1) < 0)
			return err_errno("status-fd: cannot tell that the server is ready");
		close(request->status_fd);
		request->status_fd = -1;
	}
	return request_notify(request, "status-ready", 0);
}
