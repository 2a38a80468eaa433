/* SPDX-License-Identifier: MIT */
#include "resource/fs.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "images/fs.pb-c.h"
#include "resource/procfs.h"
#include "resource/regfile.h"
#include "resource/remap.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

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

/* --- restore --- */

static int same_root(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat("/", &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int go_to(void *arg)
{
	return chdir(arg);
}

/* An entry in /proc of a process that has ended is entered while there is another with its pid. */
static int enter(const struct restore_file *dir)
{
	char *path = dir->entry->reg->name;
	pid_t pid = procfs_pid(path);

	if (pid && remap_is_dead(pid))
		return procfs_with_child(&pid, go_to, path);
	return fchdir(dir->slot);
}

int fs_restore(const struct restore_task *task)
{
	const char *root = task->root->entry->reg->name, *cwd = task->cwd->entry->reg->name;

	if (!same_root(task->root->slot) && (fchdir(task->root->slot) < 0 || chroot(".") < 0))
		return err_errno("cannot make %s its root directory", root);
	if (enter(task->cwd) < 0)
		return err_errno("cannot go to its working directory %s", cwd);
	umask(task->fs->has_umask ? task->fs->umask & 0777 : 022);
	return 0;
}
