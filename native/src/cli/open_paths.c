/* SPDX-License-Identifier: MIT */
#include "cli/open_paths.h"

#include <fcntl.h>

#include "cli/log_file.h"
#include "common/err.h"

static int open_directory(const char *path, const char *what)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		err_errno("%s %s", what, path);
	return fd;
}

int paths_open(struct request *request, const struct paths *paths)
{
	request->images_fd = open_directory(paths->images ? paths->images : ".", "images directory");
	if (request->images_fd < 0)
		return -1;
	request->work_fd = paths->work ? open_directory(paths->work, "work directory") : request->images_fd;
	return request->work_fd < 0 ? -1 : log_file_open(request);
}
