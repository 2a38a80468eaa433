/* SPDX-License-Identifier: MIT */
#include "resource/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "images/memfd.pb-c.h"
#include "ptrace/parasite.h"
#include "resource/map_file.h"
#include "resource/page_reader.h"
#include "resource/pagemap.h"
#include "resource/regfile.h"
#include "resource/vma.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

#define PREFIX "/memfd:"
#define DELETED " (deleted)"
#define SIZE_MAX_BYTES (1ULL << 46)

/* --- dump --- */

/* Memfds of the tree, and the entries that their mappings use. */
static struct seen {
	uint64_t dev, inode;
	uint32_t id, mapped_file;
	char *unreached; /* its name, where nothing but the memory of who maps it leads to it; NULL otherwise */
} *seen;
static size_t seen_count, seen_room;
static struct img *memfd_img;

static bool memfd_recognise(const struct fd_info *info)
{
	return !strncmp(info->link, PREFIX, sizeof(PREFIX) - 1) && S_ISREG(info->st.st_mode) && !info->st.st_nlink;
}

/* Without what /proc puts around it. "/dev/zero (deleted)" is shared anonymous memory. */
static char *plain_name(const char *link)
{
	char *name = xstrdup(strncmp(link, PREFIX, sizeof(PREFIX) - 1) ? link : link + sizeof(PREFIX) - 1);

	if (strlen(name) > sizeof(DELETED) - 1 && !strcmp(name + strlen(name) - (sizeof(DELETED) - 1), DELETED))
		name[strlen(name) - (sizeof(DELETED) - 1)] = 0;
	return name;
}

/* The inode with its contents, once. fd: open for reading. what: for messages. NULL with the error set. */
static struct seen *dump_inode(struct dump *dump, const char *what, const char *link, int fd)
{
	MemfdInodeEntry e = MEMFD_INODE_ENTRY__INIT;
	auto_free char *name = plain_name(link);
	struct stat st;
	struct statfs fs;
	struct seen *s;
	int seals;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0) {
		err_errno("%s (%s) cannot be seen", what, link);
		return NULL;
	}
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].inode == st.st_ino && seen[i].dev == st.st_dev)
			return &seen[i];
	if (fs.f_type == HUGETLBFS_MAGIC) {
		e.has_hugetlb_flag = true;
		e.hugetlb_flag = MFD_HUGETLB | huge_page_flags(st.st_blksize);
	} else if (fs.f_type != TMPFS_MAGIC) {
		err_set(ENOTSUP, "%s is a memfd (%s) on a file system that is not known (0x%lx)", what, link, (long)fs.f_type);
		return NULL;
	}
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0) {
		err_errno("%s: the seals of the memfd (%s) cannot be read", what, link);
		return NULL;
	}
	s = array_push(&seen, &seen_count, &seen_room, sizeof(*seen));
	*s = (struct seen){ st.st_dev, st.st_ino, seen_count, 0, NULL };
	e.name = name;
	e.uid = st.st_uid;
	e.gid = st.st_gid;
	e.size = st.st_size;
	e.shmid = st.st_ino;
	e.seals = seals;
	e.inode_id = s->id;
	e.has_mode = true;
	e.mode = st.st_mode;
	if (!memfd_img && !(memfd_img = img_create(dump->dirfd, IMG_MEMFD, 0)))
		return NULL;
	return img_write(memfd_img, &e.base) < 0 || pagemap_dump_shmem_file(dump, fd, st.st_ino) < 0 ? NULL : s;
}

static MemfdFileEntry *new_entry(uint32_t id, uint32_t inode_id)
{
	MemfdFileEntry *e = xzalloc(sizeof(*e));

	memfd_file_entry__init(e);
	e->id = id;
	e->inode_id = inode_id;
	return e;
}

static int memfd_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	auto_fd fd = proc_open(info->task->live, O_RDONLY, "fd/%d", info->fd);
	const struct seen *s;
	char what[64];

	snprintf(what, sizeof(what), "pid %d: descriptor %d", info->task->pid, info->fd);
	if (fd < 0)
		return err_errno("%s is a memfd (%s) that cannot be opened", what, info->link);
	s = dump_inode(dump, what, info->link, fd);
	if (!s)
		return -1;
	entry->memfd = new_entry(entry->id, s->id);
	entry->memfd->flags = info->flags;
	entry->memfd->pos = info->pos;
	entry->memfd->fown = fown_dump(info->dup);
	return 0;
}

int memfd_dump_mapping(struct dump *dump, const struct task *task, struct vma *vma, const char *name)
{
	auto_fd fd = -1;
	FileEntry e = FILE_ENTRY__INIT;
	struct seen *s;
	char what[96];
	int result = 0;

	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].inode == vma->inode && seen[i].dev == vma->dev && seen[i].mapped_file) {
			vma->file_id = seen[i].mapped_file;
			return 0;
		}
	fd = map_file_open(&dump->tree, task, vma);
	snprintf(what, sizeof(what), "pid %d: the mapping at 0x%" PRIx64, task->pid, vma->start);
	if (fd < 0 && errno != EPERM)
		return err_errno("%s is of a memfd (%s) that cannot be opened", what, name);
	if (fd < 0) {
		s = array_push(&seen, &seen_count, &seen_room, sizeof(*seen));
		*s = (struct seen){ vma->dev, vma->inode, seen_count, 0, plain_name(name) };
	} else {
		s = dump_inode(dump, what, name, fd);
	}
	if (!s)
		return -1;
	if (!s->mapped_file) {
		s->mapped_file = next_id();
		e.type = FD_TYPES__MEMFD;
		e.id = s->mapped_file;
		e.memfd = new_entry(e.id, s->id);
		e.memfd->fown = fown_dump(-1);
		result = img_write(dump->files, &e.base);
		memfd_file_entry__free_unpacked(e.memfd, NULL);
	}
	vma->file_id = s->mapped_file;
	return result;
}

/* As far as somebody maps it. */
static uint64_t mapped_size(const struct dump *dump, const struct seen *s)
{
	uint64_t size = 0;

	for (size_t i = 0; i < dump->tree.count; i++)
		for (size_t j = 0; j < dump->tree.tasks[i]->vma_count; j++) {
			const struct vma *v = &dump->tree.tasks[i]->vmas[j];

			if (v->inode == s->inode && v->dev == s->dev && v->pgoff + (v->end - v->start) > size)
				size = v->pgoff + (v->end - v->start);
		}
	return size;
}

/* Nobody can have it but by its mappings, so that neither seals nor what lies outside of them matter. */
static int write_unreached(struct dump *dump, const struct seen *s)
{
	MemfdInodeEntry e = MEMFD_INODE_ENTRY__INIT;

	e.name = s->unreached;
	e.uid = geteuid();
	e.gid = getegid();
	e.size = mapped_size(dump, s);
	e.shmid = s->inode;
	e.seals = F_SEAL_SEAL;
	e.inode_id = s->id;
	e.has_mode = true;
	e.mode = S_IFREG | 0777;
	if (!memfd_img && !(memfd_img = img_create(dump->dirfd, IMG_MEMFD, 0)))
		return -1;
	return img_write(memfd_img, &e.base);
}

static int memfd_dump_end(struct dump *dump)
{
	int result = 0;

	for (size_t i = 0; i < seen_count && !result; i++)
		if (seen[i].unreached)
			result = write_unreached(dump, &seen[i]);
	if (img_close(memfd_img) < 0)
		result = -1;
	memfd_img = NULL;
	return result;
}

/* Whether some of the mapping is swapped out, proc_pid_smaps(5): mincore(2) does not tell of that. */
static bool is_swapped(const struct task *task, const struct vma *vma)
{
	auto_free char *text = proc_read(task->live, "smaps", NULL), *header = xasprintf("\n%" PRIx64 "-", vma->start);
	const char *at = text ? strstr(text, header) : NULL, *swap = at ? strstr(at, "\nSwap:") : NULL;

	return !swap || atol(swap + sizeof("\nSwap:") - 1) > 0;
}

/* Pages of the task's mapping, to their place in `to`: only what is there, since a look would make the rest. Those that a private mapping
 * has for itself are not the file's. */
static int copy_mapping(struct task *task, const struct vma *vma, int to)
{
	uint64_t count = (vma->end - vma->start) / PAGE;
	auto_free unsigned char *there = xzalloc(count);
	auto_free uint64_t *entries = xzalloc(count * sizeof(*entries));
	auto_fd pagemap = proc_open(task->live, O_RDONLY, "pagemap");
	char page[PAGE];

	if (parasite_mincore(task, vma->start, count, there) < 0)
		return -1;
	if (pread(pagemap, entries, count * sizeof(*entries), vma->start / PAGE * sizeof(*entries)) != (ssize_t)(count * sizeof(*entries)))
		return err_errno("pid %d: cannot read its page map", task->pid);
	if (is_swapped(task, vma))
		memset(there, 1, count);
	for (uint64_t i = 0; i < count; i++) {
		/* The kernel's admin-guide/mm/pagemap.rst: bit 63 present, 62 swapped, 61 a page of the file. */
		bool own = entries[i] >> 62 && !(entries[i] >> 61 & 1) && vma->flags & MAP_PRIVATE;

		if (!(there[i] & 1) || own)
			continue;
		if (pread(task->mem_fd, page, PAGE, vma->start + i * PAGE) != (ssize_t)PAGE)
			return err_errno("pid %d: cannot read its shared memory at 0x%" PRIx64, task->pid, vma->start + i * PAGE);
		if (pwrite(to, page, PAGE, vma->pgoff + i * PAGE) != (ssize_t)PAGE)
			return err_errno("cannot copy shared memory of pid %d", task->pid);
	}
	return 0;
}

static int dump_unreached(struct dump *dump, const struct seen *s)
{
	auto_fd copy = memfd_create("pcr-copy", MFD_CLOEXEC);

	if (copy < 0 || ftruncate(copy, mapped_size(dump, s)) < 0)
		return err_errno("cannot make a copy of shared memory");
	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];

		for (size_t j = 0; j < task->vma_count; j++) {
			const struct vma *v = &task->vmas[j];

			if (v->inode == s->inode && v->dev == s->dev && copy_mapping(task, v, copy) < 0)
				return -1;
		}
	}
	return pagemap_dump_shmem_file(dump, copy, s->inode);
}

int memfd_dump_memory(struct dump *dump)
{
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].unreached && dump_unreached(dump, &seen[i]) < 0)
			return -1;
	return 0;
}

static void memfd_forget(void)
{
	img_close(memfd_img);
	memfd_img = NULL;
	for (size_t i = 0; i < seen_count; i++)
		free(seen[i].unreached);
	free(seen);
	seen = NULL;
	seen_count = seen_room = 0;
}

/* --- restore --- */

static struct inode {
	MemfdInodeEntry *entry;
	struct page_runs *pages;
	uint32_t first_file;
	bool used;
	bool file_only; /* even if it is shared anonymous memory */
	int fd; /* while its descriptors are opened; -1 */
	char *at;
} *inodes;
static size_t inode_count, inode_room;
static bool inodes_read;

static struct inode *find_inode(uint64_t id)
{
	for (size_t i = 0; i < inode_count; i++)
		if (inodes[i].entry->inode_id == id)
			return &inodes[i];
	return NULL;
}

static int read_inodes(struct restore *restore)
{
	auto_img *img = img_open(restore->dirfd, IMG_MEMFD, 0, false);
	MemfdInodeEntry *e;
	int got;

	if (!img)
		return -1;
	while ((got = img_read(img, &memfd_inode_entry__descriptor, &e)) > 0) {
		struct inode *inode;

		if (find_inode(e->inode_id))
			return err_set(EINVAL, "memfd.img has inode %" PRIu64 " twice", e->inode_id);
		if (e->size > SIZE_MAX_BYTES)
			return err_set(EINVAL, "memfd.img: inode %" PRIu64 " of %" PRIu64 " bytes", e->inode_id, e->size);
		inode = array_push(&inodes, &inode_count, &inode_room, sizeof(*inodes));
		inode->entry = e;
		inode->fd = -1;
	}
	return got;
}

static int memfd_collect(struct restore *restore, FileEntry *entry)
{
	struct inode *inode;

	if (!entry->memfd)
		return err_set(EINVAL, "files.img: id %u has no memfd_file_entry", entry->id);
	if (entry->memfd->pos > INT64_MAX)
		return err_set(EINVAL, "files.img: id %u at offset %" PRIu64, entry->id, entry->memfd->pos);
	if (!inodes_read && read_inodes(restore) < 0)
		return -1;
	inodes_read = true;
	inode = find_inode(entry->memfd->inode_id);
	if (!inode)
		return err_set(EINVAL, "files.img: id %u is of memfd inode %u, which memfd.img lacks", entry->id, entry->memfd->inode_id);
	if (inode->entry->has_hugetlb_flag && inode->entry->hugetlb_flag & ~(MFD_HUGETLB | HUGE_MASK))
		return err_set(EINVAL, "memfd \"%s\" is of huge pages 0x%x", inode->entry->name, inode->entry->hugetlb_flag);
	if (inode->used) {
		restore_group_files(restore, entry->id, inode->first_file);
		return 0;
	}
	inode->used = true;
	inode->first_file = entry->id;
	inode->pages = page_runs_read(restore->dirfd, IMG_SHMEM_PAGEMAP, inode->entry->shmid, true);
	if (!inode->pages && err_code())
		return -1;
	if (inode->pages && inode->pages->count) {
		const struct page_run *last = &inode->pages->runs[inode->pages->count - 1];

		if (last->address + last->size > ROUND_UP(inode->entry->size, PAGE))
			return err_set(EINVAL, "%s: pages behind the end of memfd \"%s\"", inode->pages->name, inode->entry->name);
	}
	return 0;
}

/* Of private mappings and descriptors all else must be the same file. */
static void find_file_uses(struct restore *restore)
{
	for (size_t i = 0; i < restore->task_count; i++) {
		const MmEntry *mm = restore->tasks[i].mm;

		for (size_t j = 0; mm && j < mm->n_vmas; j++) {
			const VmaEntry *v = mm->vmas[j];
			struct restore_file *file = v->status & VMA_AREA_MEMFD && v->flags & MAP_PRIVATE ? restore_find_file(restore, v->shmid) : NULL;
			struct inode *inode = file && file->entry->memfd ? find_inode(file->entry->memfd->inode_id) : NULL;

			if (inode)
				inode->file_only = true;
		}
	}
	for (size_t i = 0; i < restore->file_count; i++) {
		const struct restore_file *file = restore->files[i];
		struct inode *inode = file->is_fd && file->entry->memfd ? find_inode(file->entry->memfd->inode_id) : NULL;

		if (inode)
			inode->file_only = true;
	}
}

int memfd_is_shmem(struct restore *restore, uint32_t id, uint64_t *shmem_id)
{
	const struct restore_file *file = restore_find_file(restore, id);
	const struct inode *inode;
	static bool looked;

	if (!file || !file->entry->memfd)
		return 0;
	if (!inodes_read && read_inodes(restore) < 0)
		return -1;
	inodes_read = true;
	if (!looked)
		find_file_uses(restore);
	looked = true;
	inode = find_inode(file->entry->memfd->inode_id);
	if (!inode || inode->file_only)
		return 0;
	*shmem_id = inode->entry->shmid;
	return !strcmp(inode->entry->name, "/dev/zero");
}

static void *target(void *arg, uint64_t address, uint64_t *size)
{
	return ((struct inode *)arg)->at + address;
}

static int seal(const struct inode *inode)
{
	if (inode->entry->seals && fcntl(inode->fd, F_GET_SEALS) != (int)inode->entry->seals && fcntl(inode->fd, F_ADD_SEALS, inode->entry->seals) < 0)
		return err_errno("memfd \"%s\": cannot seal it", inode->entry->name);
	return 0;
}

/* Shared anonymous memory of huge pages keeps its name when it is made as such. Returns -1 with errno. */
static int make_anonymous(const MemfdInodeEntry *e, uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | (e->hugetlb_flag & HUGE_MASK), -1, 0);
	char path[80];
	int fd;

	if (p == MAP_FAILED)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)p, (unsigned long)p + size);
	fd = open(path, O_RDWR | O_CLOEXEC);
	munmap(p, size);
	return fd;
}

static int make_file(const MemfdInodeEntry *e, uint64_t size)
{
	uint32_t huge = e->has_hugetlb_flag ? e->hugetlb_flag : 0;
	int fd = huge && size && !strcmp(e->name, "/anon_hugepage") ? make_anonymous(e, size) : -1;

	return fd < 0 ? memfd_create(e->name, MFD_ALLOW_SEALING | MFD_CLOEXEC | huge) : fd;
}

static int create(struct restore *restore, struct inode *inode)
{
	const MemfdInodeEntry *e = inode->entry;
	uint64_t huge = e->has_hugetlb_flag ? e->hugetlb_flag : 0, size = ROUND_UP(e->size, huge ? huge_page_size(huge) : PAGE);
	int result = 0;

	inode->fd = make_file(e, size);
	if (inode->fd < 0)
		return err_errno("cannot create memfd \"%s\"%s", e->name, huge ? " of huge pages" : "");
	if (ftruncate(inode->fd, e->size) < 0)
		return err_errno("memfd \"%s\": cannot make it %" PRIu64 " bytes long", e->name, e->size);
	if (inode->pages && inode->pages->count) {
		inode->at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, inode->fd, 0);
		if (inode->at == MAP_FAILED)
			return err_errno("memfd \"%s\": cannot map it%s", e->name, huge ? " (there must be enough huge pages: /proc/sys/vm/nr_hugepages)" : "");
		result = page_runs_load(inode->pages, restore->dirfd, target, inode);
		munmap(inode->at, size);
		if (result < 0)
			return err_context("memfd \"%s\"", e->name);
	}
	if ((e->uid != geteuid() || e->gid != getegid()) && fchown(inode->fd, e->uid, e->gid) < 0)
		return err_errno("memfd \"%s\": cannot give it to uid %u", e->name, e->uid);
	if (e->has_mode && fchmod(inode->fd, e->mode & 07777) < 0)
		return err_errno("memfd \"%s\": cannot set mode 0%o", e->name, e->mode);
	return e->seals & F_SEAL_FUTURE_WRITE ? 0 : seal(inode);
}

static int memfd_open(struct restore *restore, FileEntry *entry)
{
	struct inode *inode = find_inode(entry->memfd->inode_id);
	char path[64];
	int fd;

	if (inode->fd < 0 && create(restore, inode) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", inode->fd);
	fd = open(path, (entry->memfd->flags & ~(O_CREAT | O_EXCL | O_TRUNC)) | O_CLOEXEC);
	if (fd < 0)
		return err_errno("memfd \"%s\": cannot open it", inode->entry->name);
	if (entry->memfd->pos && !(entry->memfd->flags & O_PATH) && lseek(fd, entry->memfd->pos, SEEK_SET) < 0) {
		err_errno("memfd \"%s\": cannot go to offset %" PRIu64, inode->entry->name, entry->memfd->pos);
		close(fd);
		return -1;
	}
	return fd;
}

int memfds_open(struct restore *restore)
{
	for (size_t i = 0; i < restore->file_count; i++)
		for (struct restore_file *f = restore->files[i]; f; f = f->next_variant)
			if (f->kind == &memfd_kind && f->slot >= 0 && find_inode(f->entry->memfd->inode_id)->entry->seals & F_SEAL_FUTURE_WRITE &&
			    restore_open_file(restore, f) < 0)
				return -1;
	return 0;
}

int memfds_seal(void)
{
	for (size_t i = 0; i < inode_count; i++)
		if (inodes[i].fd >= 0 && inodes[i].entry->seals & F_SEAL_FUTURE_WRITE && seal(&inodes[i]) < 0)
			return -1;
	return 0;
}

static int memfd_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->memfd->fown, fd);
}

const struct fd_kind memfd_kind = {
	.type = FD_TYPES__MEMFD,
	.name = "memfd",
	.recognise = memfd_recognise,
	.dump = memfd_dump,
	.dump_end = memfd_dump_end,
	.forget = memfd_forget,
	.collect = memfd_collect,
	.open = memfd_open,
	.settle = memfd_settle,
};
