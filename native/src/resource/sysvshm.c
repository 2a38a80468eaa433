/* SPDX-License-Identifier: MIT */
#include "resource/sysvshm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "images/ipc-shm.pb-c.h"
#include "resource/map_file.h"
#include "resource/page_reader.h"
#include "resource/pagemap.h"
#include "resource/vma.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

#define SIZE_MAX_BYTES (1ULL << 46)

/* --- dump --- */

static uint64_t *seen;
static size_t seen_count, seen_room;
static struct img *shm_img;

/* shmctl(2): how much of all segments is swapped out. */
static bool swapped_segments(void)
{
	struct shm_info info;

	return shmctl(0, SHM_INFO, (struct shmid_ds *)&info) < 0 || info.shm_swp;
}

/* What the segment holds, in a file. Root sees the segment's own by way of a mapping; its owner attaches it. -1 with errno. */
static int copy_segment(int id)
{
	struct shmid_ds ds;
	unsigned char *at, *there;
	int fd;

	if (shmctl(id, IPC_STAT, &ds) < 0)
		return -1;
	at = shmat(id, NULL, SHM_RDONLY);
	if (at == (void *)-1)
		return -1;
	fd = memfd_create("pcr-copy", MFD_CLOEXEC);
	there = xzalloc(ROUND_UP(ds.shm_segsz, PAGE) / PAGE);
	/* Pages that are swapped out do not count as there: then all are looked at. */
	if (mincore(at, ds.shm_segsz, there) < 0 || swapped_segments())
		memset(there, 1, ROUND_UP(ds.shm_segsz, PAGE) / PAGE);
	if (fd >= 0 && ftruncate(fd, ds.shm_segsz) < 0)
		goto fail;
	for (size_t i = 0; fd >= 0 && i < ROUND_UP(ds.shm_segsz, PAGE) / PAGE; i++) {
		size_t size = ds.shm_segsz - i * PAGE < PAGE ? ds.shm_segsz - i * PAGE : PAGE;

		if (there[i] & 1 && pwrite(fd, at + i * PAGE, size, i * PAGE) != (ssize_t)size)
			goto fail;
	}
	shmdt(at);
	free(there);
	return fd;
fail:
	shmdt(at);
	free(there);
	close(fd);
	return -1;
}

int sysvshm_dump(struct dump *dump, const struct task *task, const struct vma *vma)
{
	IpcDescEntry desc = IPC_DESC_ENTRY__INIT;
	IpcShmEntry e = IPC_SHM_ENTRY__INIT;
	auto_fd fd = -1;
	struct shmid_ds ds;

	for (size_t i = 0; i < seen_count; i++)
		if (seen[i] == vma->inode)
			return 0;
	fd = map_files_refused ? -1 : proc_open(task->live, O_RDONLY, "map_files/%" PRIx64 "-%" PRIx64, vma->start, vma->end);
	if (fd < 0 && (map_files_refused || errno == EPERM))
		fd = copy_segment(vma->inode);
	if (fd < 0 || shmctl(vma->inode, IPC_STAT, &ds) < 0)
		return err_errno("pid %d: the System V shared memory at 0x%" PRIx64 " (id %" PRIu64 ") cannot be seen", task->pid, vma->start, vma->inode);
	*(uint64_t *)array_push(&seen, &seen_count, &seen_room, sizeof(*seen)) = vma->inode;
	desc.key = ds.shm_perm.__key;
	desc.uid = ds.shm_perm.uid;
	desc.gid = ds.shm_perm.gid;
	desc.cuid = ds.shm_perm.cuid;
	desc.cgid = ds.shm_perm.cgid;
	desc.mode = ds.shm_perm.mode;
	desc.id = vma->inode;
	e.desc = &desc;
	e.size = ds.shm_segsz;
	e.has_in_pagemaps = e.in_pagemaps = true;
	if (vma->huge)
		e.hugetlb_flag = SHM_HUGETLB | huge_page_flags(vma->huge);
	e.has_hugetlb_flag = e.hugetlb_flag != 0;
	if (!shm_img && !(shm_img = img_create(dump->dirfd, IMG_IPCNS_SHM, dump->namespaces.ipc_ns_id)))
		return -1;
	return img_write(shm_img, &e.base) < 0 ? -1 : pagemap_dump_shmem_file(dump, fd, vma->inode);
}

int sysvshm_dump_end(void)
{
	int result = img_close(shm_img);

	shm_img = NULL;
	free(seen);
	seen = NULL;
	seen_count = seen_room = 0;
	return result;
}

/* --- restore --- */

static struct segment {
	uint64_t id, end; /* as far as somebody attaches it */
	IpcShmEntry *entry; /* NULL: only in the kernel */
	struct page_runs *pages;
	bool used, made;
	char *at; /* in the coordinator, while the segment is filled and attached */
} *segments;
static size_t segment_count, segment_room;
static bool segments_read;

static struct segment *find(uint64_t id)
{
	for (size_t i = 0; i < segment_count; i++)
		if (segments[i].id == id)
			return &segments[i];
	return NULL;
}

static struct segment *add(uint64_t id)
{
	struct segment *s = array_push(&segments, &segment_count, &segment_room, sizeof(*segments));

	s->id = id;
	return s;
}

static int read_segments(struct restore *restore)
{
	const TaskKobjIdsEntry *ids = restore->inventory->root_ids;
	auto_img *img = ids && ids->has_ipc_ns_id ? img_open(restore->dirfd, IMG_IPCNS_SHM, ids->ipc_ns_id, true) : NULL;
	IpcShmEntry *e;
	int got;

	if (!img)
		return err_code() ? -1 : 0;
	while ((got = img_read(img, &ipc_shm_entry__descriptor, &e)) > 0) {
		if (find(e->desc->id) || e->desc->id > INT_MAX || e->size == 0 || e->size > SIZE_MAX_BYTES)
			return err_set(EINVAL, "%s: segment %u of %" PRIu64 " bytes, or twice", img_name(img), e->desc->id, e->size);
		if (e->has_hugetlb_flag && e->hugetlb_flag & ~(SHM_HUGETLB | HUGE_MASK))
			return err_set(EINVAL, "%s: segment %u is of huge pages 0x%x", img_name(img), e->desc->id, e->hugetlb_flag);
		add(e->desc->id)->entry = e;
	}
	return got;
}

int sysvshm_use(struct restore *restore, uint64_t id, uint64_t end)
{
	struct segment *s;

	if (!segments_read && read_segments(restore) < 0)
		return -1;
	segments_read = true;
	s = find(id);
	if (!s)
		s = add(id);
	if (end > s->end)
		s->end = end;
	if (s->used)
		return 0;
	s->used = true;
	if (!s->entry)
		return 0;
	s->pages = page_runs_read(restore->dirfd, IMG_SHMEM_PAGEMAP, id, true);
	if (!s->pages && err_code())
		return -1;
	if (s->pages && s->pages->count) {
		const struct page_run *last = &s->pages->runs[s->pages->count - 1];

		if (last->address + last->size > ROUND_UP(s->entry->size, PAGE))
			return err_set(EINVAL, "%s: pages behind the end of System V segment %" PRIu64, s->pages->name, id);
	}
	return 0;
}

/* Bytes that attaching it maps. */
static uint64_t whole_size(const struct segment *s, uint64_t size)
{
	uint64_t huge = s->entry && s->entry->has_hugetlb_flag ? huge_page_size(s->entry->hugetlb_flag) : 0;

	return ROUND_UP(size, huge ? huge : PAGE);
}

/* The next segment gets this id: the kernel's admin-guide/sysctl/kernel.rst, "msg_next_id, sem_next_id, and shm_next_id". */
static int choose_id(uint64_t id)
{
	auto_fd fd = open("/proc/sys/kernel/shm_next_id", O_WRONLY | O_CLOEXEC);
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRIu64, id);

	return fd < 0 || write_all(fd, text, n) < 0 ? -1 : 0;
}

static int create(struct segment *s)
{
	const IpcDescEntry *d = s->entry->desc;
	struct shmid_ds ds = { 0 };
	int id;

	if (choose_id(s->id) < 0)
		return err_errno("cannot choose the id of a System V segment (/proc/sys/kernel/shm_next_id)");
	id = shmget(d->key, s->entry->size, IPC_CREAT | IPC_EXCL | (d->mode & 0777) | (s->entry->has_hugetlb_flag ? s->entry->hugetlb_flag : 0));
	if (id < 0)
		return err_errno("cannot make the System V segment %" PRIu64 " (key 0x%x, %" PRIu64 " bytes)", s->id, d->key, s->entry->size);
	if ((uint64_t)id != s->id) {
		shmctl(id, IPC_RMID, NULL);
		return err_set(EEXIST, "System V segment %" PRIu64 " cannot be made with its id: another one is in the way", s->id);
	}
	s->made = true;
	ds.shm_perm.uid = d->uid;
	ds.shm_perm.gid = d->gid;
	ds.shm_perm.mode = d->mode & 0777;
	return shmctl(id, IPC_SET, &ds) < 0 ? err_errno("cannot give System V segment %" PRIu64 " to uid %u", s->id, d->uid) : 0;
}

static void *target(void *arg, uint64_t address, uint64_t *size)
{
	return ((struct segment *)arg)->at + address;
}

static int make(struct restore *restore, struct segment *s)
{
	struct shmid_ds ds;
	bool there = shmctl(s->id, IPC_STAT, &ds) == 0;

	if (!there && !s->entry)
		return err_errno("System V segment %" PRIu64 " is gone, and the images do not have it", s->id);
	if (there && (whole_size(s, ds.shm_segsz) < s->end ||
		      (s->entry && (ds.shm_segsz != s->entry->size || (uint32_t)ds.shm_perm.__key != s->entry->desc->key))))
		return err_set(EEXIST, "System V segment %" PRIu64 " is another one now (key 0x%x, %zu bytes); remove it (ipcrm -m %" PRIu64 ")", s->id,
			       ds.shm_perm.__key, ds.shm_segsz, s->id);
	if (!there && create(s) < 0)
		return -1;
	s->at = shmat(s->id, NULL, 0);
	if (s->at == (void *)-1)
		return err_errno("cannot attach System V segment %" PRIu64, s->id);
	/* Who else has it attached has gone on with it. */
	if (there && ds.shm_nattch)
		return 0;
	if (there && s->entry)
		memset(s->at, 0, s->entry->size);
	return s->pages && page_runs_load(s->pages, restore->dirfd, target, s) < 0 ? err_context("System V segment %" PRIu64, s->id) : 0;
}

int sysvshm_make(struct restore *restore)
{
	for (size_t i = 0; i < segment_count; i++)
		if (segments[i].used && make(restore, &segments[i]) < 0)
			return -1;
	return 0;
}

static void detach(struct segment *s)
{
	if (s->at && s->at != (void *)-1)
		shmdt(s->at);
	s->at = NULL;
}

int sysvshm_attached(void)
{
	for (size_t i = 0; i < segment_count; i++) {
		struct segment *s = &segments[i];

		if (s->made && s->entry->desc->mode & SHM_DEST && shmctl(s->id, IPC_RMID, NULL) < 0)
			return err_errno("cannot mark System V segment %" PRIu64 " for removal", s->id);
		detach(s);
	}
	return 0;
}

void sysvshm_unmake(void)
{
	for (size_t i = 0; i < segment_count; i++) {
		detach(&segments[i]);
		if (segments[i].made && shmctl(segments[i].id, IPC_RMID, NULL) < 0 && errno != EINVAL && errno != EIDRM)
			pr_warn("cannot remove System V segment %" PRIu64 " again: %s", segments[i].id, strerror(errno));
	}
}

int sysvshm_attach(uint64_t id, uint64_t offset, uint64_t size, uint64_t at, int prot, int flags)
{
	const struct segment *s = find(id);
	int how = (prot & PROT_EXEC ? SHM_EXEC : 0) | (flags & SHM_RDONLY);
	bool replace = flags & SHM_REMAP;
	struct shmid_ds ds;
	uint64_t whole;
	char *p;

	if (!s || shmctl(id, IPC_STAT, &ds) < 0)
		return -1;
	whole = whole_size(s, ds.shm_segsz);
	if (offset == 0 && size == whole) {
		p = shmat(id, (void *)at, how | (flags & SHM_REMAP));
		/* EINVAL: the place is taken */
		if (p == (void *)-1 && errno == EINVAL && !replace)
			errno = EEXIST;
		return p == (void *)-1 ? -1 : 0;
	}
	/* A part: moved out of the whole. */
	if (!replace) {
		void *free_place = mmap((void *)at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

		if (free_place == MAP_FAILED)
			return -1;
	}
	p = shmat(id, NULL, how);
	if (p == (void *)-1 || mremap(p + offset, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at) == MAP_FAILED)
		return -1;
	if (offset)
		munmap(p, offset);
	if (offset + size < whole)
		munmap(p + offset + size, whole - offset - size);
	return 0;
}
