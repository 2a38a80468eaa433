/* SPDX-License-Identifier: MIT
 *
 * Named pipes: a file with a path (an entry of its own in files.img) and the pipe behind it, with the data in it.
 */
#include "resource/fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "images/pipe-data.pb-c.h"
#include "resource/pipe_data.h"
#include "resource/regfile.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"


/* --- dump --- */

static uint32_t *seen;
static size_t seen_count, seen_room;
static struct img *data_img;

static bool fifo_recognise(const struct fd_info *info)
{
	return S_ISFIFO(info->st.st_mode) && strncmp(info->link, "pipe:[", 6) && !(info->flags & O_PATH);
}

static int fifo_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	FifoEntry *e = xzalloc(sizeof(*e));
	RegFileEntry *reg;

	fifo_entry__init(e);
	entry->fifo = e;
	e->id = entry->id;
	e->pipe_id = info->st.st_ino;
	e->has_regf_id = true;
	e->regf_id = next_id();
	reg = regfile_dump_entry(dump, info, e->regf_id);
	if (!reg || regfile_write_entry(dump, reg) < 0)
		return -1;
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i] == e->pipe_id)
			return 0;
	*(uint32_t *)array_push(&seen, &seen_count, &seen_room, sizeof(*seen)) = e->pipe_id;
	if (!data_img && !(data_img = img_create(dump->dirfd, IMG_FIFO_DATA, 0)))
		return -1;
	return pipe_data_dump(info, e->pipe_id, data_img);
}

static int fifo_dump_end(struct dump *dump)
{
	int result = img_close(data_img);

	data_img = NULL;
	free(seen);
	seen = NULL;
	seen_count = seen_room = 0;
	return result;
}

static void fifo_forget(void)
{
	fifo_dump_end(NULL);
}

/* --- restore --- */

static struct fifo {
	uint32_t id;
	struct pipe_data data;
	uint32_t first_file; /* id of its first file_entry */
	int users; /* file entries not yet opened */
	int both; /* both ends open, while the descriptors are opened; -1 */
} *fifos;
static size_t fifo_count, fifo_room;
static bool data_read;

static struct fifo *find_fifo(uint32_t id)
{
	for (size_t i = 0; i < fifo_count; i++)
		if (fifos[i].id == id)
			return &fifos[i];
	return NULL;
}

static struct fifo *add_fifo(uint32_t id)
{
	struct fifo *f = array_push(&fifos, &fifo_count, &fifo_room, sizeof(*fifos));

	f->id = id;
	f->both = -1;
	return f;
}

static int read_data(struct restore *restore)
{
	auto_img *img = img_open(restore->dirfd, IMG_FIFO_DATA, 0, true);
	PipeDataEntry *e;
	int got;

	if (!img)
		return errno == ENOENT && !err_code() ? 0 : -1;
	while ((got = img_read(img, &pipe_data_entry__descriptor, &e)) > 0) {
		struct fifo *f;

		if (find_fifo(e->pipe_id))
			return err_set(EINVAL, "fifo-data.img has FIFO %u twice", e->pipe_id);
		f = add_fifo(e->pipe_id);
		if (pipe_data_take(img, e, &f->data) < 0)
			return -1;
		pipe_data_entry__free_unpacked(e, NULL);
	}
	return got;
}

static const RegFileEntry *path_of(struct restore *restore, const FileEntry *entry)
{
	return restore_find_file(restore, entry->fifo->regf_id)->entry->reg;
}

static int fifo_collect(struct restore *restore, FileEntry *entry)
{
	struct restore_file *path = entry->fifo && entry->fifo->has_regf_id ? restore_find_file(restore, entry->fifo->regf_id) : NULL;
	struct fifo *f;

	if (!path || path->entry->type != FD_TYPES__REG)
		return err_set(EINVAL, "files.img: id %u is a FIFO without a path", entry->id);
	if (regfile_check(restore, path->entry) < 0)
		return -1;
	if (!path->entry->reg->has_mode || !S_ISFIFO(path->entry->reg->mode))
		return err_set(EINVAL, "files.img: id %u is a FIFO, but its path is of another type of file", entry->id);
	if (!data_read && read_data(restore) < 0)
		return -1;
	data_read = true;
	f = find_fifo(entry->fifo->pipe_id);
	if (!f)
		f = add_fifo(entry->fifo->pipe_id);
	if (f->users++)
		restore_group_files(restore, entry->id, f->first_file);
	else
		f->first_file = entry->id;
	return 0;
}

/* With both ends open no open waits for the other end, and the data stays. */
static int fill(struct fifo *f, const RegFileEntry *reg)
{
	f->both = open(reg->name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (f->both < 0)
		return err_errno("cannot open the FIFO %s", reg->name);
	return pipe_data_fill(f->both, &f->data, reg->name);
}

static int fifo_open(struct restore *restore, FileEntry *entry)
{
	struct fifo *f = find_fifo(entry->fifo->pipe_id);
	const RegFileEntry *reg = path_of(restore, entry);
	int fd;

	if (f->both < 0 && fill(f, reg) < 0)
		return -1;
	fd = regfile_open_entry(reg);
	if (fd >= 0 && --f->users == 0) {
		close(f->both);
		f->both = -1;
	}
	return fd;
}

static int fifo_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(path_of(restore, entry)->fown, fd);
}

const struct fd_kind fifo_kind = {
	.type = FD_TYPES__FIFO,
	.name = "FIFO",
	.recognise = fifo_recognise,
	.dump = fifo_dump,
	.dump_end = fifo_dump_end,
	.forget = fifo_forget,
	.collect = fifo_collect,
	.open = fifo_open,
	.settle = fifo_settle,
};
