/* SPDX-License-Identifier: MIT */
#include "resource/fs.h"

#include <stdlib.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "images/fs.pb-c.h"
#include "resource/regfile.h"
#include "tree/dump.h"

/* --- dump --- */

int fs_dump(struct dump *dump, struct task *task)
{
	FsEntry e = FS_ENTRY__INIT;
	const char *mask = status_field(task->status, "Umask");
	auto_img *img = NULL;

	if (regfile_dump_link(dump, task, "cwd", &e.cwd_id) < 0 || regfile_dump_link(dump, task, "root", &e.root_id) < 0)
		return -1;
	e.has_umask = mask != NULL;
	e.umask = mask ? strtoul(mask, NULL, 8) : 0;
	img = img_create(dump->dirfd, IMG_FS, task->pid);
	return img ? img_write(img, &e.base) : -1;
}
