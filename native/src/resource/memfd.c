/* SPDX-License-Identifier: MIT */
#include "resource/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "images/memfd.pb-c.h"
#include "resource/page_reader.h"
#include "resource/regfile.h"
#include "tree/restore_tree.h"

#define SIZE_MAX_BYTES (1ULL << 46)

/* --- restore --- */

static struct inode {
	MemfdInodeEntry *entry;
	struct page_runs *pages;
	uint32_t first_file;
	bool used;
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
	if (inode->entry->has_hugetlb_flag && inode->entry->hugetlb_flag)
		return err_set(ENOTSUP, "memfd \"%s\" is of huge pages, which cannot be restored yet", inode->entry->name);
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

bool memfd_is_shmem(const FileEntry *entry, uint64_t *shmem_id)
{
	const struct inode *inode = find_inode(entry->memfd->inode_id);

	*shmem_id = inode->entry->shmid;
	return !strcmp(inode->entry->name, "/dev/zero");
}

static void *target(void *arg, uint64_t address, uint64_t *size)
{
	return ((struct inode *)arg)->at + address;
}

static int create(struct restore *restore, struct inode *inode)
{
	const MemfdInodeEntry *e = inode->entry;
	uint64_t size = ROUND_UP(e->size, PAGE);
	int result = 0;

	inode->fd = memfd_create(e->name, MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (inode->fd < 0)
		return err_errno("cannot create memfd \"%s\"", e->name);
	if (ftruncate(inode->fd, e->size) < 0)
		return err_errno("memfd \"%s\": cannot make it %" PRIu64 " bytes long", e->name, e->size);
	if (inode->pages && inode->pages->count) {
		inode->at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, inode->fd, 0);
		if (inode->at == MAP_FAILED)
			return err_errno("memfd \"%s\": cannot map it", e->name);
		result = page_runs_load(inode->pages, restore->dirfd, target, inode);
		munmap(inode->at, size);
		if (result < 0)
			return err_context("memfd \"%s\"", e->name);
	}
	if ((e->uid != geteuid() || e->gid != getegid()) && fchown(inode->fd, e->uid, e->gid) < 0)
		return err_errno("memfd \"%s\": cannot give it to uid %u", e->name, e->uid);
	if (e->has_mode && fchmod(inode->fd, e->mode & 07777) < 0)
		return err_errno("memfd \"%s\": cannot set mode 0%o", e->name, e->mode);
	if (e->seals && fcntl(inode->fd, F_ADD_SEALS, e->seals) < 0)
		return err_errno("memfd \"%s\": cannot seal it", e->name);
	return 0;
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
	if (entry->memfd->pos && lseek(fd, entry->memfd->pos, SEEK_SET) < 0) {
		err_errno("memfd \"%s\": cannot go to offset %" PRIu64, inode->entry->name, entry->memfd->pos);
		close(fd);
		return -1;
	}
	return fd;
}

static int memfd_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->memfd->fown, fd);
}

const struct fd_kind memfd_kind = {
	.type = FD_TYPES__MEMFD,
	.name = "memfd",
	.collect = memfd_collect,
	.open = memfd_open,
	.settle = memfd_settle,
};
