/* SPDX-License-Identifier: MIT */
#include "resource/pipe_data.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/fd_kind.h"
#include "tree/task.h"

#define PIPE_BYTES_MAX (1u << 30) /* the kernel allows no more in one pipe */

/* --- dump --- */

/* A pipe of the same size with the same in it: buffer for buffer, packets as packets (tee(2)). Returns its read end or -1 with errno. */
static int copy_pipe(int in, int size, int have)
{
	auto_fd copy_in = -1, copy_out = -1;
	int copy[2], result;
	ssize_t n = 0;

	if (pipe2(copy, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	copy_in = copy[0];
	copy_out = copy[1];
	/* As many buffers as the original has, for tee moves buffers, not bytes. */
	if (have && (fcntl(copy_out, F_SETPIPE_SZ, size) < 0 || (n = tee(in, copy_out, size, SPLICE_F_NONBLOCK)) < 0))
		return -1;
	if (n != have) {
		errno = EIO;
		return -1;
	}
	result = copy_in;
	copy_in = -1;
	return result;
}

struct source {
	int in, size, have;
	char *buffer; /* `have` bytes: all that is in the pipe */
	char *scrap; /* as much */
	size_t chunks[2]; /* where the chunk under look starts and how long it is: what one read gives */
};

/* What a read of k bytes of the chunk leaves of it: nothing when a packet is hit, whose rest is dropped. -1 with errno. */
static int left_after(const struct source *s, size_t k)
{
	auto_fd copy = copy_pipe(s->in, s->size, s->have);
	int left = 0;

	if (copy < 0)
		return -1;
	for (size_t at = 0; at < s->chunks[0];) {
		ssize_t n = read(copy, s->scrap, s->chunks[0] - at);

		if (n <= 0)
			return -1;
		at += n;
	}
	if (read(copy, s->scrap, k) != (ssize_t)k || ioctl(copy, FIONREAD, &left) < 0)
		return -1;
	return left - (s->have - (int)(s->chunks[0] + s->chunks[1]));
}

/* Where in the chunk its last packet starts, found by halves; its length when it has none. -1 with errno. */
static long packet_start(const struct source *s, bool packets)
{
	size_t length = s->chunks[1], low = 0, high = length;
	bool last = s->chunks[0] + length == (size_t)s->have;
	int left;

	/* Reading low bytes leaves the rest, reading high drops it. The whole: by definition. */
	while (high - low > 1) {
		/* First what is likely: all a packet, or all plain. */
		size_t k = low == 0 ? 1 : high == length ? length - 1 : low + (high - low) / 2;

		left = left_after(s, k);
		if (left < 0)
			return -1;
		if (left == (int)(length - k))
			low = k;
		else
			high = k;
	}
	if (high < length || !last)
		return low;
	/* Nothing shows whether the last byte of all is a packet, but how the pipe is written to. */
	return packets ? (long)low : (long)length;
}

static int find_pieces(struct source *s, bool packets, PipeDataEntry *e)
{
	auto_fd copy = copy_pipe(s->in, s->size, s->have);
	size_t room = 0;
	bool any = false;

	if (copy < 0)
		return -1;
	for (int at = 0; at < s->have;) {
		ssize_t n = read(copy, s->buffer + at, s->have - at);
		long start;

		if (n <= 0)
			return -1;
		s->chunks[0] = at;
		s->chunks[1] = n;
		start = packet_start(s, packets);
		if (start < 0)
			return -1;
		*(uint32_t *)array_push(&e->pcr_pieces, &e->n_pcr_pieces, &room, sizeof(uint32_t)) = start;
		if (start < n) {
			any = true;
			*(uint32_t *)array_push(&e->pcr_pieces, &e->n_pcr_pieces, &room, sizeof(uint32_t)) = n - start;
		}
		at += n;
	}
	if (!any)
		e->n_pcr_pieces = 0;
	return 0;
}

/* Another user may have made the pipe, and then only who holds its read end reads. */
static int pipe_open_to_read(const struct fd_info *info)
{
	int in = proc_open(info->task->live, O_RDONLY | O_NONBLOCK, "fd/%d", info->fd);

	return in < 0 && errno == EACCES && info->dup >= 0 && (info->flags & O_ACCMODE) != O_WRONLY ? fcntl(info->dup, F_DUPFD_CLOEXEC, 0) : in;
}

int pipe_data_dump(const struct fd_info *info, uint32_t id, struct img *img)
{
	PipeDataEntry e = PIPE_DATA_ENTRY__INIT;
	auto_fd in = pipe_open_to_read(info);
	auto_free char *buffer = NULL, *scrap = NULL;
	struct source s = { .in = in };
	int result;

	if (in < 0 || ioctl(in, FIONREAD, &s.have) < 0 || (s.size = fcntl(in, F_GETPIPE_SZ)) < 0)
		return err_errno("pid %d: descriptor %d (%s): its contents cannot be seen", info->task->pid, info->fd, info->link);
	s.buffer = buffer = xrealloc(NULL, s.have + 1);
	s.scrap = scrap = xrealloc(NULL, s.have + 1);
	if (s.have && find_pieces(&s, info->flags & O_DIRECT, &e) < 0)
		return err_errno("pid %d: descriptor %d (%s): its %d bytes cannot be copied", info->task->pid, info->fd, info->link, s.have);
	e.pipe_id = id;
	e.bytes = s.have;
	e.has_size = true;
	e.size = s.size;
	result = img_write(img, &e.base) < 0 || img_write_raw(img, buffer, s.have) < 0 ? -1 : 0;
	free(e.pcr_pieces);
	return result;
}

/* --- restore --- */

int pipe_data_take(struct img *img, const PipeDataEntry *e, struct pipe_data *data)
{
	uint64_t sum = 0;

	data->bytes = e->bytes;
	data->size = e->has_size ? e->size : 0;
	if (e->bytes > PIPE_BYTES_MAX || data->size > PIPE_BYTES_MAX)
		return err_set(EINVAL, "%s: pipe %u of %u bytes with %u in it", img_name(img), e->pipe_id, data->size, e->bytes);
	for (size_t i = 0; i < e->n_pcr_pieces; i++) {
		sum += e->pcr_pieces[i];
		if (i % 2 && (!e->pcr_pieces[i] || e->pcr_pieces[i] > PAGE))
			return err_set(EINVAL, "%s: pipe %u with a packet of %u bytes", img_name(img), e->pipe_id, e->pcr_pieces[i]);
	}
	if (e->n_pcr_pieces && sum != e->bytes)
		return err_set(EINVAL, "%s: pipe %u with %u bytes, its pieces have %llu", img_name(img), e->pipe_id, e->bytes, (unsigned long long)sum);
	data->pieces = xrealloc(NULL, (e->n_pcr_pieces + 1) * sizeof(*data->pieces));
	data->piece_count = e->n_pcr_pieces;
	memcpy(data->pieces, e->pcr_pieces, e->n_pcr_pieces * sizeof(*data->pieces));
	data->data = xzalloc(e->bytes);
	return img_read_raw(img, data->data, e->bytes);
}

/* Non-blocking: data that does not fit is an error, no hang. Returns 0 or -1 with errno. */
static int put_pieces(int fd, const struct pipe_data *data)
{
	const char *from = data->data;

	if (!data->piece_count)
		return write_all(fd, from, data->bytes);
	for (size_t i = 0; i < data->piece_count; i++) {
		int flags = O_NONBLOCK | (i % 2 ? O_DIRECT : 0);

		if (data->pieces[i] && (fcntl(fd, F_SETFL, flags) < 0 || write_all(fd, from, data->pieces[i]) < 0))
			return -1;
		from += data->pieces[i];
	}
	return fcntl(fd, F_SETFL, O_NONBLOCK);
}

int pipe_data_fill(int fd, const struct pipe_data *data, const char *what)
{
	if (data->size && fcntl(fd, F_GETPIPE_SZ) != (int)data->size && fcntl(fd, F_SETPIPE_SZ, data->size) < 0)
		return err_errno("%s: cannot make it %u bytes large", what, data->size);
	if (put_pieces(fd, data) < 0)
		return err_errno("%s: cannot put %u bytes into it", what, data->bytes);
	return 0;
}
