/* SPDX-License-Identifier: MIT */
#include "resource/mapped_copy.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/ghost.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

/* HotSpot's is 32 KiB. */
#define COPY_MAX (256 * 1024)

/* --- dump --- */

int mapped_copy_dump(struct dump *dump, const char *what, const char *access, const struct stat *st, RegFileEntry *reg)
{
	if (!S_ISREG(st->st_mode) || st->st_size > COPY_MAX)
		return 0;
	reg->has_pcr_copy = reg->pcr_copy = true;
	return ghost_write(dump, IMG_PCR_MAPPED, reg->id, what, access, st);
}

/* --- restore --- */

static char **made; /* paths, directories in front of what is in them */
static size_t made_count, made_room;

int mapped_copy_check(struct restore *restore, const RegFileEntry *reg)
{
	struct stat st;

	if (!reg->has_pcr_copy || !reg->pcr_copy || lstat(reg->name, &st) == 0 || errno != ENOENT)
		return 0;
	return ghost_check(restore->dirfd, IMG_PCR_MAPPED, reg->id) < 0 ? -1 : 1;
}

static void note(const char *path)
{
	*(char **)array_push(&made, &made_count, &made_room, sizeof(char *)) = xstrdup(path);
}

static int make_parents(const char *path)
{
	auto_free char *dir = xstrdup(path);

	for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(dir, 0755) == 0)
			note(dir);
		else if (errno != EEXIST)
			return err_errno("cannot make the directory %s again", dir);
		*slash = '/';
	}
	return 0;
}

static int make(struct restore *restore, const RegFileEntry *reg)
{
	size_t first = made_count;
	struct stat st;

	pr_info("%s is gone; it is made again from the images", reg->name);
	if (make_parents(reg->name) < 0 || ghost_make(restore->dirfd, IMG_PCR_MAPPED, reg->id, reg->name, -1) < 0)
		return -1;
	/* Its directories are its owner's, as HotSpot wants them. */
	for (size_t i = first; i < made_count && stat(reg->name, &st) == 0; i++)
		if (lchown(made[i], st.st_uid, st.st_gid) < 0)
			return err_errno("cannot give %s to uid %u", made[i], st.st_uid);
	note(reg->name);
	return 0;
}

int mapped_copies_make(struct restore *restore)
{
	for (size_t i = 0; i < restore->file_count; i++) {
		const FileEntry *e = restore->files[i]->entry;
		int gone = restore->files[i]->kind && e->type == FD_TYPES__REG && e->reg ? mapped_copy_check(restore, e->reg) : 0;

		if (gone < 0 || (gone && make(restore, e->reg) < 0))
			return -1;
	}
	return 0;
}

void mapped_copies_unmake(void)
{
	while (made_count) {
		char *path = made[--made_count];

		if (unlink(path) < 0 && rmdir(path) < 0)
			pr_warn("cannot remove %s again: %s", path, strerror(errno));
		free(path);
	}
}
