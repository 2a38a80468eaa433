/* SPDX-License-Identifier: MIT */
#include "resource/ghost.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "images/ghost-file.pb-c.h"
#include "resource/xattr.h"
#include "tree/dump.h"

/* linux/magic.h */
#define HUGETLBFS_MAGIC 0x958458f6
#define COPY_BYTES (256 * 1024)
#define SIZE_MAX_BYTES (1ULL << 46)
/* The kernel's linux/kdev_t.h */
#define DEV_MINOR_BITS 20

uint32_t ghost_dev(dev_t dev)
{
	return major(dev) << DEV_MINOR_BITS | minor(dev);
}

/* --- dump --- */

static int write_range(struct img *img, int fd, off_t at, off_t end, const char *what)
{
	auto_free char *buffer = xrealloc(NULL, COPY_BYTES);

	while (at < end) {
		ssize_t n = pread(fd, buffer, end - at < COPY_BYTES ? end - at : COPY_BYTES, at);

		if (n <= 0)
			return n ? err_errno("%s: cannot read its contents", what) : err_set(EIO, "%s: it shrank while it was read", what);
		if (img_write_raw(img, buffer, n) < 0)
			return -1;
		at += n;
	}
	return 0;
}

/* Each extent of data (lseek(2), SEEK_DATA): an entry with its place, then its bytes. */
static int write_chunks(struct img *img, int fd, off_t size, const char *what)
{
	off_t start = 0, end;

	while (start < size && (start = lseek(fd, start, SEEK_DATA)) >= 0) {
		GhostChunkEntry e = GHOST_CHUNK_ENTRY__INIT;

		end = lseek(fd, start, SEEK_HOLE);
		if (end < 0 || end > size)
			end = size;
		e.off = start;
		e.len = end - start;
		if (img_write(img, &e.base) < 0 || write_range(img, fd, start, end, what) < 0)
			return -1;
		start = end;
	}
	return start < 0 && errno != ENXIO ? err_errno("%s: cannot find its data", what) : 0;
}

static void set_time(Timeval *to, const struct timespec *from)
{
	timeval__init(to);
	to->tv_sec = from->tv_sec;
	to->tv_usec = from->tv_nsec / 1000;
}

/* All else of the entry is not malloc'd. Returns -1. */
static int free_xattrs(GhostFileEntry *e)
{
	for (size_t i = 0; i < e->n_pcr_xattrs; i++)
		pcr_xattr__free_unpacked(e->pcr_xattrs[i], NULL);
	free(e->pcr_xattrs);
	return -1;
}

int ghost_write(struct dump *dump, enum img_kind kind, unsigned long id, const char *what, const char *access, const struct stat *st)
{
	GhostFileEntry e = GHOST_FILE_ENTRY__INIT;
	Timeval atim, mtim;
	char target[PATH_MAX];
	auto_img *img = NULL;
	auto_fd fd = -1;
	ssize_t n;

	set_time(&atim, &st->st_atim);
	set_time(&mtim, &st->st_mtim);
	e.uid = st->st_uid;
	e.gid = st->st_gid;
	e.mode = st->st_mode;
	e.has_dev = e.has_ino = true;
	e.dev = ghost_dev(st->st_dev);
	e.ino = st->st_ino;
	e.atim = &atim;
	e.mtim = &mtim;
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		fd = open(access, O_RDONLY | O_CLOEXEC | O_NOATIME);
		if (fd < 0)
			fd = open(access, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_errno("%s: cannot open it to copy its contents", what);
		if ((off_t)st->st_blocks * 512 < st->st_size) {
			e.has_chunks = e.chunks = true;
			e.has_size = true;
			e.size = st->st_size;
		}
		break;
	case S_IFCHR:
	case S_IFBLK:
		e.has_rdev = true;
		e.rdev = st->st_rdev; /* as mknod(2) takes it, unlike dev */
		break;
	case S_IFLNK:
		fd = open(access, O_PATH | O_CLOEXEC);
		n = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
		if (n < 0)
			return err_errno("%s: cannot read the symbolic link", what);
		target[n] = 0;
		e.symlnk_target = target;
		break;
	case S_IFDIR:
	case S_IFIFO:
		break;
	default:
		return err_set(ENOTSUP, "%s is a deleted file of a type (0%o) that cannot be dumped", what, st->st_mode & S_IFMT);
	}
	if (!S_ISLNK(st->st_mode) && xattrs_dump(access, &e, what) < 0)
		return free_xattrs(&e);
	img = img_create(dump->dirfd, kind, id);
	if (!img || img_write(img, &e.base) < 0)
		return free_xattrs(&e);
	free_xattrs(&e);
	if (!S_ISREG(st->st_mode))
		return 0;
	return e.chunks ? write_chunks(img, fd, st->st_size, what) : write_range(img, fd, 0, st->st_size, what);
}

/* --- restore --- */

/* Files of hugetlbfs can be written by mapping them only, in whole pages of theirs. */
static int write_huge(int fd, const char *data, size_t n, uint64_t offset)
{
	struct statfs fs;
	uint64_t start, size;
	struct stat st;
	char *at;

	if (fstatfs(fd, &fs) < 0 || fs.f_type != HUGETLBFS_MAGIC || fstat(fd, &st) < 0) {
		errno = EINVAL;
		return -1;
	}
	start = offset / fs.f_bsize * fs.f_bsize;
	size = ROUND_UP(offset + n, (uint64_t)fs.f_bsize) - start;
	if ((uint64_t)st.st_size < start + size && ftruncate(fd, start + size) < 0)
		return -1;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, start);
	if (at == MAP_FAILED)
		return -1;
	memcpy(at + (offset - start), data, n);
	return munmap(at, size);
}

static int write_at(int fd, const char *data, size_t n, uint64_t offset)
{
	ssize_t done = pwrite(fd, data, n, offset);

	if (done < 0 && errno == EINVAL)
		return write_huge(fd, data, n, offset);
	return done == (ssize_t)n ? 0 : -1;
}

/* Moves size bytes of the image to offset of fd; fd -1: passes over them. */
static int read_range(struct img *img, int fd, uint64_t offset, uint64_t size)
{
	auto_free char *buffer = xrealloc(NULL, COPY_BYTES);

	while (size) {
		size_t n = size < COPY_BYTES ? size : COPY_BYTES;

		if (img_read_raw(img, buffer, n) < 0)
			return -1;
		if (fd >= 0 && write_at(fd, buffer, n, offset) < 0)
			return err_errno("%s: cannot write the file's contents", img_name(img));
		offset += n;
		size -= n;
	}
	return 0;
}

static int read_chunks(struct img *img, int fd, uint64_t size)
{
	GhostChunkEntry *e;
	uint64_t last = 0;
	int got;

	while ((got = img_read(img, &ghost_chunk_entry__descriptor, &e)) > 0) {
		uint64_t off = e->off, len = e->len;

		ghost_chunk_entry__free_unpacked(e, NULL);
		if (off < last || off > size || len > size - off)
			return err_set(EINVAL, "%s: %" PRIu64 " bytes at %" PRIu64 " of a file of %" PRIu64, img_name(img), len, off, size);
		if (read_range(img, fd, off, len) < 0)
			return -1;
		last = off + len;
	}
	return got;
}

/* The contents, into fd, or only looked at (-1). */
static int read_contents(struct img *img, const GhostFileEntry *e, int fd)
{
	if (!e->has_chunks || !e->chunks)
		return read_range(img, fd, 0, img_left(img));
	if (!e->has_size || e->size > SIZE_MAX_BYTES)
		return err_set(EINVAL, "%s: a file of %" PRIu64 " bytes", img_name(img), e->size);
	if (read_chunks(img, fd, e->size) < 0)
		return -1;
	if (fd >= 0 && ftruncate(fd, e->size) < 0)
		return err_errno("%s: cannot make the file %" PRIu64 " bytes long", img_name(img), e->size);
	return 0;
}

/* Opens the image and reads its first entry. NULL with the error set. */
static struct img *open_ghost(int dirfd, enum img_kind kind, unsigned long id, GhostFileEntry **entry)
{
	struct img *img = img_open(dirfd, kind, id, false);
	const GhostFileEntry *e;

	*entry = NULL;
	if (!img)
		return NULL;
	if (img_read_one(img, &ghost_file_entry__descriptor, entry) < 0)
		goto bad;
	e = *entry;
	switch (e->mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFIFO:
		return img;
	case S_IFCHR:
	case S_IFBLK:
		if (e->has_rdev)
			return img;
		break;
	case S_IFLNK:
		if (e->symlnk_target)
			return img;
		break;
	}
	err_set(EINVAL, "%s: a file of mode 0%o that cannot be made", img_name(img), e->mode);
bad:
	if (*entry)
		ghost_file_entry__free_unpacked(*entry, NULL);
	img_close(img);
	return NULL;
}

int ghost_check(int dirfd, enum img_kind kind, unsigned long id)
{
	GhostFileEntry *e;
	auto_img *img = open_ghost(dirfd, kind, id, &e);
	int result = 0;

	if (!img)
		return -1;
	/* All of the rest is contents when there are no chunks. */
	if (S_ISREG(e->mode) && e->has_chunks && e->chunks)
		result = read_contents(img, e, -1);
	ghost_file_entry__free_unpacked(e, NULL);
	return result;
}

int ghost_identity(int dirfd, enum img_kind kind, unsigned long id, uint32_t *dev, uint64_t *ino)
{
	GhostFileEntry *e;
	auto_img *img = open_ghost(dirfd, kind, id, &e);

	if (!img)
		return -1;
	*dev = e->has_dev ? e->dev : 0;
	*ino = e->has_ino ? e->ino : 0;
	ghost_file_entry__free_unpacked(e, NULL);
	return 0;
}

static int set_attributes(const GhostFileEntry *e, const char *path, int fd)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (fd >= 0)
		path = self;
	if ((e->uid != geteuid() || e->gid != getegid()) && fchownat(AT_FDCWD, path, e->uid, e->gid, fd < 0 ? AT_SYMLINK_NOFOLLOW : 0) < 0)
		return -1;
	if (!S_ISLNK(e->mode) && chmod(path, e->mode & 07777) < 0)
		return -1;
	/* Access control lists change the mode, and changing the mode changes them. */
	xattrs_restore(e, path);
	if (e->atim && e->mtim) {
		times[0] = (struct timespec){ e->atim->tv_sec, e->atim->tv_usec * 1000 };
		times[1] = (struct timespec){ e->mtim->tv_sec, e->mtim->tv_usec * 1000 };
	}
	return utimensat(AT_FDCWD, path, times, fd < 0 ? AT_SYMLINK_NOFOLLOW : 0);
}

static int make_node(const GhostFileEntry *e, const char *path)
{
	switch (e->mode & S_IFMT) {
	case S_IFDIR:
		return mkdir(path, 0700);
	case S_IFLNK:
		return symlink(e->symlnk_target, path);
	case S_IFCHR:
	case S_IFBLK:
		return mknod(path, (e->mode & S_IFMT) | 0600, e->rdev);
	default:
		return mknod(path, (e->mode & S_IFMT) | 0600, 0);
	}
}

int ghost_make(int dirfd, enum img_kind kind, unsigned long id, const char *path, int fd)
{
	GhostFileEntry *e;
	auto_img *img = open_ghost(dirfd, kind, id, &e);
	auto_fd opened = -1;
	int result = -1;

	if (!img)
		return -1;
	if (fd < 0 && make_node(e, path) < 0) {
		err_errno("cannot make %s again", path);
		goto out;
	}
	if (S_ISREG(e->mode)) {
		if (fd < 0)
			opened = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 && opened < 0) {
			err_errno("cannot fill %s", path);
			goto out;
		}
		if (read_contents(img, e, fd < 0 ? opened : fd) < 0)
			goto out;
	}
	if (set_attributes(e, path, fd) < 0)
		err_errno("cannot give %s the owner %u:%u, mode 0%o and times that it had", path, e->uid, e->gid, e->mode & 07777);
	else
		result = 0;
out:
	if (result < 0 && fd < 0)
		S_ISDIR(e->mode) ? rmdir(path) : unlink(path);
	ghost_file_entry__free_unpacked(e, NULL);
	return result;
}
