/* SPDX-License-Identifier: MIT */
#include "cli/pidfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"

int pidfile_write(int dirfd, const char *name, pid_t pid)
{
	auto_free char *temporary = NULL;
	char text[16];
	int fd, n;

	if (!name)
		return 0;
	temporary = xasprintf("%s.%d.tmp", name, getpid());
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_errno("cannot write the pidfile %s", name);
	n = snprintf(text, sizeof(text), "%d", pid);
	if (write_all(fd, text, n) < 0 || renameat(dirfd, temporary, dirfd, name) < 0) {
		err_errno("cannot write the pidfile %s", name);
		unlinkat(dirfd, temporary, 0);
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}
