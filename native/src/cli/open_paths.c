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

int paths_open(struct command *c)
{
	struct request *r = &c->request;

	r->images_fd = open_directory(c->images ? c->images : ".", "images directory");
	if (r->images_fd < 0)
		return -1;
	r->work_fd = c->work ? open_directory(c->work, "work directory") : r->images_fd;
	return r->work_fd < 0 ? -1 : log_file_open(r);
}
