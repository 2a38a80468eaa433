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

int log_file_open(const struct request *request)
{
	struct stat st;
	int fd;

	if (log_fd() > 2)
		close(log_fd());
	log_init(2, request->log_level);
	if (!request->log_file)
		return 0;
	if (!*request->log_file || strchr(request->log_file, '/'))
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
