/* SPDX-License-Identifier: MIT */
#include "cli/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "image/image.h"

/* The command line's, as criu takes them: a path, as seen from the work directory; "-" is standard output. What is there need not be a
 * regular file (/dev/null, /dev/stdout). Returns the descriptor or -1 with errno set. */
static int open_path(const struct request *request)
{
	if (!strcmp(request->log_file, "-"))
		return fcntl(1, F_DUPFD_CLOEXEC, 3);
	return openat(request->work_fd, request->log_file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
}

int log_file_open(const struct request *request)
{
	bool plain = !request->log_file || !strchr(request->log_file, '/');
	struct stat st;
	int fd;

	if (log_fd() > 2)
		close(log_fd());
	log_init(2, request->log_level);
	if (!request->log_file)
		return 0;
	if (!request->peer && (!plain || !strcmp(request->log_file, "-"))) {
		fd = open_path(request);
		if (fd < 0)
			return err_errno("cannot write the log file %s", request->log_file);
		log_init(fd, request->log_level);
		return 0;
	}
	if (!*request->log_file || !plain)
		return err_set(EINVAL, "log file '%s': a plain name is wanted; the directory is the work directory", request->log_file);
	fd = img_openat(request->work_fd, request->log_file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
	if (fd < 0)
		return err_errno("cannot write the log file %s", request->log_file);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(EINVAL, "log file '%s' is there and no regular file: remove it", request->log_file);
	}
	log_init(fd, request->log_level);
	return 0;
}
