/* SPDX-License-Identifier: MIT */
#include "cli/null_stdio.h"

#include <fcntl.h>
#include <unistd.h>

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
