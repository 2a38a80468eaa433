/* SPDX-License-Identifier: MIT
 *
 * Anonymous pipes: their ends and the data in them (pipe(7)).
 */
#include "resource/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/pipe_data.h"
#include "resource/regfile.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

#define PIPE_ID(st) ((uint32_t)(st)->st_ino)

/* --- dump --- */

/* The pipes of the tree, each with the ends that the tree holds. */
static struct seen {
	uint32_t id;
	bool reader, writer;
	bool data; /* what is in it has been written */
	bool other_end; /* an end that the tree does not hold is open somewhere */
} *seen;
static size_t seen_count, seen_room;
static struct img *data_img;

static bool pipe_recognise(const struct fd_info *info)
{
	return S_ISFIFO(info->st.st_mode) && !strncmp(info->link, "pipe:[", 6);
}

static bool has_other_end(const struct fd_info *info, bool writer)
{
	struct pollfd p = { .fd = info->dup, .events = writer ? POLLOUT : POLLIN };

	/* pipe(7), poll(2): a write end without readers shows POLLERR, a read end without writers POLLHUP. */
	if (info->dup < 0 || poll(&p, 1, 0) < 0)
		return false;
	return !(p.revents & (writer ? POLLERR : POLLHUP));
}

/* The write end of another user's pipe does not show what is in it: the read end will, or, when that is outside, it is not the tree's. */
static bool may_see(const struct fd_info *info)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", info->task->live, info->fd);
	return (info->flags & O_ACCMODE) != O_WRONLY || (stat(path, &st) == 0 && access(path, R_OK) == 0);
}

static int pipe_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	PipeEntry *e = xzalloc(sizeof(*e));
	bool writer = (info->flags & O_ACCMODE) != O_RDONLY, both = (info->flags & O_ACCMODE) == O_RDWR;
	bool other_end = has_other_end(info, writer);
	struct seen *s = NULL;

	pipe_entry__init(e);
	entry->pipe = e;
	e->id = entry->id;
	e->pipe_id = PIPE_ID(&info->st);
	e->flags = info->flags;
	e->fown = fown_dump(info->dup);
	for (size_t i = 0; i < seen_count && !s; i++)
		if (seen[i].id == e->pipe_id)
			s = &seen[i];
	if (!s) {
		s = array_push(&seen, &seen_count, &seen_room, sizeof(*seen));
		s->id = e->pipe_id;
		if (!data_img && !(data_img = img_create(dump->dirfd, IMG_PIPES_DATA, 0)))
			return -1;
	}
	if (!s->data && may_see(info)) {
		if (pipe_data_dump(info, e->pipe_id, data_img) < 0)
			return -1;
		s->data = true;
	}
	s->writer |= writer || both;
	s->reader |= !writer || both;
	s->other_end |= other_end;
	return 0;
}

static int pipe_dump_end(struct dump *dump)
{
	int result = img_close(data_img);

	data_img = NULL;
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].other_end && (!seen[i].reader || !seen[i].writer))
			pr_warn("pipe:[%u]: its %s end is held outside the dumped tree and will be closed after a restore", seen[i].id,
				seen[i].reader ? "write" : "read");
	return result;
}

static void pipe_forget(void)
{
	img_close(data_img);
	data_img = NULL;
	free(seen);
	seen = NULL;
	seen_count = seen_room = 0;
}

/* --- restore --- */

/* A pipe of the images: both its ends while its descriptors are opened. */
static struct remade {
	uint32_t id;
	struct pipe_data data;
	bool in_image; /* pipes-data.img knows it */
	uint32_t first_file; /* id of its first file_entry */
	int users; /* file entries not yet opened */
	int ends[2]; /* -1 when not open */
} *remade;
static size_t remade_count, remade_room;
static bool data_read;

static struct remade *find_remade(uint32_t id)
{
	for (size_t i = 0; i < remade_count; i++)
		if (remade[i].id == id)
			return &remade[i];
	return NULL;
}

static struct remade *add_remade(uint32_t id)
{
	struct remade *r = array_push(&remade, &remade_count, &remade_room, sizeof(*remade));

	r->id = id;
	r->ends[0] = r->ends[1] = -1;
	return r;
}

static int read_data(struct restore *restore)
{
	auto_img *img = img_open(restore->dirfd, IMG_PIPES_DATA, 0, true);
	PipeDataEntry *e;
	int got;

	if (!img)
		return errno == ENOENT && !err_code() ? 0 : -1;
	while ((got = img_read(img, &pipe_data_entry__descriptor, &e)) > 0) {
		struct remade *r;

		if (find_remade(e->pipe_id))
			return err_set(EINVAL, "pipes-data.img has pipe %u twice", e->pipe_id);
		r = add_remade(e->pipe_id);
		r->in_image = true;
		if (pipe_data_take(img, e, &r->data) < 0)
			return -1;
		pipe_data_entry__free_unpacked(e, NULL);
	}
	return got;
}

static int pipe_collect(struct restore *restore, FileEntry *entry)
{
	struct remade *r;

	if (!entry->pipe)
		return err_set(EINVAL, "files.img: id %u has no pipe_entry", entry->id);
	if (!data_read && read_data(restore) < 0)
		return -1;
	data_read = true;
	r = find_remade(entry->pipe->pipe_id);
	if (!r)
		r = add_remade(entry->pipe->pipe_id);
	/* Written for every pipe that somebody could read, even an empty one. */
	if (!r->in_image && (entry->pipe->flags & O_ACCMODE) != O_WRONLY)
		return err_set(EINVAL, "pipes-data.img lacks pipe:[%u], whose contents are lost", entry->pipe->pipe_id);
	if (r->users++)
		restore_group_files(restore, entry->id, r->first_file);
	else
		r->first_file = entry->id;
	return 0;
}

static int make_pipe(struct remade *r)
{
	char what[32];

	if (pipe2(r->ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno("cannot make a pipe");
	snprintf(what, sizeof(what), "pipe:[%u]", r->id);
	return pipe_data_fill(r->ends[1], &r->data, what);
}

static int pipe_open(struct restore *restore, FileEntry *entry)
{
	struct remade *r = find_remade(entry->pipe->pipe_id);
	int access_mode = entry->pipe->flags & O_ACCMODE, side = access_mode == O_RDONLY ? 0 : 1, fd;
	char path[64];

	if (r->ends[0] < 0 && make_pipe(r) < 0)
		return -1;
	/* Opened anew through /proc: a file of its own for each entry; the ends made by pipe2 stay until all are there. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->ends[side]);
	fd = open(path, access_mode | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno("pipe:[%u]: cannot open it", r->id);
	if (fcntl(fd, F_SETFL, entry->pipe->flags) < 0) {
		err_errno("pipe:[%u]: cannot set flags 0%o", r->id, entry->pipe->flags);
		close(fd);
		return -1;
	}
	if (--r->users == 0) {
		close(r->ends[0]);
		close(r->ends[1]);
	}
	return fd;
}

static int pipe_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->pipe->fown, fd);
}

const struct fd_kind pipe_kind = {
	.type = FD_TYPES__PIPE,
	.name = "pipe",
	.recognise = pipe_recognise,
	.dump = pipe_dump,
	.dump_end = pipe_dump_end,
	.forget = pipe_forget,
	.collect = pipe_collect,
	.open = pipe_open,
	.settle = pipe_settle,
};
