/* SPDX-License-Identifier: MIT */
#include "resource/aio.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/vma.h"
#include "tree/restore_tree.h"
#include "tree/task.h"

#define REQUESTS_MAX (1u << 20)
#define CONTEXTS_MAX 65536
#define EVENT_BYTES 32 /* struct io_event */

/* The start of the ring as the kernel lays it out for user space (fs/aio.c, struct aio_ring); events follow. */
struct ring {
	uint32_t id; /* the kernel's own number of the context */
	uint32_t nr; /* events that the ring has room for */
	uint32_t head, tail;
	uint32_t magic, compat_features, incompat_features, header_length;
};

/* --- dump --- */

int aio_dump(const struct task *task, const struct vma *vma, MmEntry *mm)
{
	AioRingEntry *e = xzalloc(sizeof(*e));
	struct ring ring;

	aio_ring_entry__init(e);
	mm->aios = xrealloc(mm->aios, (mm->n_aios + 1) * sizeof(*mm->aios));
	mm->aios[mm->n_aios++] = e;
	if (pread(task->mem_fd, &ring, sizeof(ring), vma->start) != sizeof(ring))
		return err_errno("pid %d: the AIO ring at 0x%" PRIx64 " cannot be read", task->pid, vma->start);
	if (ring.nr < 4 || ring.nr > (vma->end - vma->start) / EVENT_BYTES || ring.head >= ring.nr || ring.tail >= ring.nr)
		return err_set(ENOTSUP, "pid %d: the AIO ring at 0x%" PRIx64 " is not as io_setup makes one (the task has written to it)", task->pid,
			       vma->start);
	e->id = vma->start;
	/* io_setup doubles the number and adds two. */
	e->nr_req = (ring.nr - 2) / 2;
	e->ring_len = vma->end - vma->start;
	return 0;
}

/* --- restore --- */

static const AioRingEntry *find(const struct restore_task *task, uint64_t start)
{
	for (size_t i = 0; i < task->mm->n_aios; i++)
		if (task->mm->aios[i]->id == start)
			return task->mm->aios[i];
	return NULL;
}

int aio_check(const struct restore_task *task, const VmaEntry *vma)
{
	const AioRingEntry *e = find(task, vma->start);

	if (!e || e->ring_len != vma->end - vma->start || !e->nr_req || e->nr_req > REQUESTS_MAX)
		return err_set(EINVAL, "mm-%d.img: no AIO context for the ring at 0x%" PRIx64, task->pid, vma->start);
	return 0;
}

int aio_map(const struct restore_task *task, const VmaEntry *vma, uint64_t at, int replace)
{
	uint64_t size = vma->end - vma->start;
	aio_context_t context = 0;

	if (!replace && mmap((void *)at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != (void *)at)
		return -1;
	if (syscall(SYS_io_setup, find(task, vma->start)->nr_req, &context) < 0)
		return -1;
	if (((struct ring *)context)->nr != (size - sizeof(struct ring)) / EVENT_BYTES) {
		errno = EINVAL;
		return -1;
	}
	return mremap((void *)context, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at) == (void *)at ? 0 : -1;
}

/* The context's number in the kernel is lost under the contents: the only one that works. */
static int find_id(volatile struct ring *ring, uint64_t at, struct iocb *request)
{
	struct iocb *requests[1] = { request };

	for (uint32_t id = 0; id < CONTEXTS_MAX; id++) {
		ring->id = id;
		if (syscall(SYS_io_submit, at, 1, requests) == 1)
			return 0;
		if (errno != EINVAL)
			return -1;
	}
	return -1;
}

int aio_finish(const VmaEntry *vma, uint64_t at)
{
	uint64_t size = vma->end - vma->start;
	auto_free char *contents = xrealloc(NULL, size);
	auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	volatile struct ring *ring = (void *)at;
	struct ring *wanted = (void *)contents;
	struct iocb request = { .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = null };
	struct iocb *requests[1] = { &request };
	char byte;

	request.aio_buf = (uint64_t)&byte;
	request.aio_nbytes = 1;
	memcpy(contents, (void *)at, size);
	if (wanted->nr != (size - sizeof(*ring)) / EVENT_BYTES || wanted->head >= wanted->nr || wanted->tail >= wanted->nr)
		return err_set(EINVAL, "the AIO ring at 0x%" PRIx64 " has head %u and tail %u of %u events", vma->start, wanted->head, wanted->tail,
			       wanted->nr);
	ring->head = ring->tail = 0;
	if (find_id(ring, at, &request) < 0)
		return err_errno("cannot use the AIO context at 0x%" PRIx64, vma->start);
	wanted->id = ring->id;
	/* Requests that end at once move the kernel's tail, which is out of our reach; one has been made. A full round for tail 0. */
	for (uint32_t i = 1; i < (wanted->tail ? wanted->tail : wanted->nr); i++) {
		ring->head = ring->tail;
		if (syscall(SYS_io_submit, at, 1, requests) != 1)
			return err_errno("cannot use the AIO context at 0x%" PRIx64, vma->start);
	}
	if (ring->tail != wanted->tail)
		return err_set(EIO, "the AIO ring at 0x%" PRIx64 " is at %u instead of %u", vma->start, ring->tail, wanted->tail);
	memcpy((void *)at, contents, size);
	return 0;
}
