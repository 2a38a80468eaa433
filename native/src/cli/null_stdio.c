/* SPDX-License-Identifier: MIT */
#include "cli/null_stdio.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"

void null_stdio(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		if (fd != log_fd())
			dup2(null, fd);
	if (null > 2)
		close(null);
}

int null_stdio_one(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || (null != fd && dup2(null, fd) < 0))
		return err_errno("/dev/null");
	if (null != fd)
		close(null);
	return 0;
}
