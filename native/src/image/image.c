/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "image/write_behind.h"

#define MAGIC_COMMON 0x54564319u
#define MAGIC_SERVICE 0x55105940u
#define BUFFER_SIZE (64 * 1024)
#define PARENT_LINK "parent"

/* criu-facts/image-files.tsv. common: the magic in front of the kind's own, 0 for none; raw images have neither. */
static const struct img_format {
	const char *name;
	uint32_t common, magic;
} formats[IMG_KIND_COUNT] = {
	[IMG_INVENTORY] = { "inventory.img", 0, 0x58313116 },
	[IMG_PSTREE] = { "pstree.img", MAGIC_COMMON, 0x50273030 },
	[IMG_CORE] = { "core-%lu.img", MAGIC_COMMON, 0x55053847 },
	[IMG_IDS] = { "ids-%lu.img", MAGIC_COMMON, 0x54432030 },
	[IMG_MM] = { "mm-%lu.img", MAGIC_COMMON, 0x57492820 },
	[IMG_PAGEMAP] = { "pagemap-%lu.img", MAGIC_COMMON, 0x56084025 },
	[IMG_SHMEM_PAGEMAP] = { "pagemap-shmem-%lu.img", MAGIC_COMMON, 0x56084025 },
	[IMG_PAGES] = { "pages-%lu.img", 0, 0 },
	[IMG_FDINFO] = { "fdinfo-%lu.img", MAGIC_COMMON, 0x56213732 },
	[IMG_FILES] = { "files.img", MAGIC_COMMON, 0x56303138 },
	[IMG_FS] = { "fs-%lu.img", MAGIC_COMMON, 0x51403912 },
	[IMG_PIPES_DATA] = { "pipes-data.img", MAGIC_COMMON, 0x56453709 },
	[IMG_FIFO_DATA] = { "fifo-data.img", MAGIC_COMMON, 0x59333054 },
	[IMG_REMAP_FPATH] = { "remap-fpath.img", MAGIC_COMMON, 0x59133954 },
	[IMG_GHOST_FILE] = { "ghost-file-%lx.img", MAGIC_COMMON, 0x52583605 },
	[IMG_IPCNS_SHM] = { "ipcns-shm-%lu.img", MAGIC_COMMON, 0x46283044 },
	[IMG_PCR_MAPPED] = { "pcr-mapped-%lx.img", MAGIC_COMMON, 0x52583605 },
	[IMG_MEMFD] = { "memfd.img", MAGIC_COMMON, 0x48453499 },
	[IMG_TTY_INFO] = { "tty-info.img", MAGIC_COMMON, 0x59453036 },
	[IMG_TTY_DATA] = { "tty-data.img", MAGIC_COMMON, 0x59413026 },
	[IMG_SK_QUEUES] = { "sk-queues.img", MAGIC_COMMON, 0x56264026 },
	[IMG_SECCOMP] = { "seccomp.img", MAGIC_COMMON, 0x64413049 },
	[IMG_TIMENS] = { "timens-%lu.img", MAGIC_COMMON, 0x43114433 },
	[IMG_CGROUP] = { "cgroup.img", MAGIC_COMMON, 0x59383330 },
	[IMG_FILE_LOCKS] = { "filelocks.img", MAGIC_COMMON, 0x54323616 },
	[IMG_TCP_STREAM] = { "tcp-stream-%lx.img", MAGIC_COMMON, 0x51465506 },
	[IMG_CREDS] = { "creds-%lu.img", MAGIC_COMMON, 0x54023547 },
	[IMG_STATS_DUMP] = { "stats-dump", MAGIC_SERVICE, 0x57093306 },
	[IMG_STATS_RESTORE] = { "stats-restore", MAGIC_SERVICE, 0x57093306 },
	[IMG_CPUINFO] = { "cpuinfo.img", MAGIC_COMMON, 0x61404013 },
};

struct img {
	int fd; /* -1 while all of it is in the buffer of one that is written behind */
	int dirfd;
	bool writing;
	char name[64];
	size_t at, end; /* writing: end bytes pending; reading: at..end buffered */
	off_t size; /* reading: of the file */
	off_t taken; /* reading: bytes handed out */
	unsigned char buffer[BUFFER_SIZE];
};

static uid_t owner_uid = -1;

static struct created {
	int dirfd;
	char name[64];
} *created;
static size_t created_count, created_room;

void img_set_owner(uid_t uid)
{
	owner_uid = uid;
}

int img_openat(int dirfd, const char *name, int flags)
{
	int fd = openat(dirfd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0 || owner_uid == (uid_t)-1 || (flags & O_ACCMODE) != O_RDONLY)
		return fd;
	/* What somebody else made may have been made to harm whoever restores it, and what he may read need not be his to run. */
	if (fstat(fd, &st) == 0 && st.st_uid == owner_uid)
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

int img_open_raw(int dirfd, enum img_kind kind, unsigned long id, int flags)
{
	char name[64];
	struct stat st;
	int fd;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(name, sizeof(name), formats[kind].name, id);
#pragma GCC diagnostic pop
	fd = img_openat(dirfd, name, flags);
	if (fd < 0)
		return err_errno("cannot open %s in the images directory", name);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return err_set(EINVAL, "%s is not a regular file", name);
}

static struct img *new_img(enum img_kind kind, unsigned long id)
{
	struct img *img = xrealloc(NULL, sizeof(*img));

	memset(img, 0, offsetof(struct img, buffer));
	img->fd = -1;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(img->name, sizeof(img->name), formats[kind].name, id);
#pragma GCC diagnostic pop
	return img;
}

/* The inventory gets its name last: without it no reader takes the directory for a dump. */
static void temporary_name(enum img_kind kind, struct img *img)
{
	if (kind == IMG_INVENTORY)
		strcat(img->name, ".tmp");
}

static void drop(struct img *img)
{
	if (img->fd >= 0)
		close(img->fd);
	free(img);
}

/* A link or device planted under the name goes; O_EXCL makes sure that the file is ours. */
static int make_file(struct img *img)
{
	img->fd = img_openat(img->dirfd, img->name, O_RDWR | O_CREAT | O_EXCL);
	if (img->fd < 0 && errno == EEXIST && unlinkat(img->dirfd, img->name, 0) == 0)
		img->fd = img_openat(img->dirfd, img->name, O_RDWR | O_CREAT | O_EXCL);
	return img->fd < 0 ? -1 : 0;
}

/* On the writing thread: the whole of a small image. */
static char failed_name[64];

static int store(void *item)
{
	struct img *img = item;
	int error = 0;

	if (make_file(img) < 0 || write_all(img->fd, img->buffer, img->end) < 0)
		error = errno;
	if (error && !failed_name[0])
		memcpy(failed_name, img->name, sizeof(failed_name));
	drop(img);
	return error;
}

void img_write_behind(void)
{
	failed_name[0] = 0;
	write_behind_start(store);
}

void img_write_behind_wake(void)
{
	write_behind_wake();
}

int img_write_behind_end(void)
{
	int error = write_behind_running() ? write_behind_end() : 0;

	if (!error)
		return 0;
	errno = error;
	return err_errno("cannot write %s in the images directory", failed_name);
}

struct img *img_create(int dirfd, enum img_kind kind, unsigned long id)
{
	const struct img_format *format = &formats[kind];
	struct img *img = new_img(kind, id);
	struct created *c;

	temporary_name(kind, img);
	img->dirfd = dirfd;
	if (!write_behind_running() && make_file(img) < 0) {
		err_errno("cannot create %s in the images directory", img->name);
		drop(img);
		return NULL;
	}
	c = array_push(&created, &created_count, &created_room, sizeof(*created));
	c->dirfd = dirfd;
	memcpy(c->name, img->name, sizeof(c->name));
	img->writing = true;
	if (format->common)
		img_write_raw(img, &format->common, sizeof(format->common));
	if (format->magic)
		img_write_raw(img, &format->magic, sizeof(format->magic));
	return img;
}

int img_open_parent(int dirfd)
{
	int fd = openat(dirfd, PARENT_LINK, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_errno("the parent dump (the link `%s` in the images directory) cannot be opened", PARENT_LINK) : fd;
}

int img_link_parent(int dirfd, const char *path)
{
	struct created *c;
	struct stat parent, own;
	int fd;

	bool there = fstatat(dirfd, PARENT_LINK, &own, AT_SYMLINK_NOFOLLOW) == 0;

	/* What is no link is no chain's, and nobody's business without a parent. */
	if (there && (path || S_ISLNK(own.st_mode)) && unlinkat(dirfd, PARENT_LINK, 0) < 0)
		return err_errno("cannot replace the link `%s` in the images directory", PARENT_LINK);
	if (!path)
		return 0;
	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno("the previous dump %s (the path is taken from the images directory)", path);
	if (fstat(fd, &parent) < 0 || fstat(dirfd, &own) < 0 || (parent.st_ino == own.st_ino && parent.st_dev == own.st_dev)) {
		close(fd);
		return err_set(EINVAL, "the previous dump %s is the images directory itself", path);
	}
	close(fd);
	if (symlinkat(path, dirfd, PARENT_LINK) < 0)
		return err_errno("cannot make the link `%s` in the images directory", PARENT_LINK);
	c = array_push(&created, &created_count, &created_room, sizeof(*created));
	c->dirfd = dirfd;
	strcpy(c->name, PARENT_LINK);
	return 0;
}

void img_remove_created(void)
{
	for (size_t i = 0; i < created_count; i++)
		unlinkat(created[i].dirfd, created[i].name, 0);
	img_keep_created();
}

void img_keep_created(void)
{
	free(created);
	created = NULL;
	created_count = created_room = 0;
}

int img_publish(int dirfd, enum img_kind kind)
{
	char temporary[80];

	snprintf(temporary, sizeof(temporary), "%s.tmp", formats[kind].name);
	if (renameat(dirfd, temporary, dirfd, formats[kind].name) < 0)
		return err_errno("cannot rename %s in the images directory", temporary);
	return 0;
}

static int flush(struct img *img)
{
	if (img->writing && img->fd < 0 && make_file(img) < 0)
		return err_errno("cannot create %s in the images directory", img->name);
	if (img->writing && img->end) {
		size_t n = img->end;

		img->end = 0;
		if (write_all(img->fd, img->buffer, n) < 0)
			return err_errno("cannot write %s", img->name);
	}
	return 0;
}

struct img *img_open(int dirfd, enum img_kind kind, unsigned long id, bool optional)
{
	const struct img_format *format = &formats[kind];
	struct img *img = new_img(kind, id);
	uint32_t want[2] = { format->common, format->magic }, word;
	struct stat st;

	img->fd = img_openat(dirfd, img->name, O_RDONLY);
	if (img->fd < 0) {
		int saved = errno;

		if (!(optional && errno == ENOENT))
			err_errno("cannot open %s in the images directory", img->name);
		drop(img);
		errno = saved;
		return NULL;
	}
	if (fstat(img->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		err_set(EINVAL, "%s is not a regular file", img->name);
		drop(img);
		return NULL;
	}
	img->size = st.st_size;
	for (int i = 0; i < 2; i++) {
		if (!want[i])
			continue;
		if (img_read_raw(img, &word, sizeof(word)) < 0) {
			drop(img);
			return NULL;
		}
		if (word != want[i]) {
			err_set(EINVAL, "%s has magic 0x%08x where 0x%08x belongs: not an image of this kind", img->name, word,
				want[i]);
			drop(img);
			return NULL;
		}
	}
	return img;
}

int img_write_raw(struct img *img, const void *data, size_t size)
{
	if (img->end + size > BUFFER_SIZE && flush(img) < 0)
		return -1;
	if (size > BUFFER_SIZE) {
		if (write_all(img->fd, data, size) < 0)
			return err_errno("cannot write %s", img->name);
		return 0;
	}
	memcpy(img->buffer + img->end, data, size);
	img->end += size;
	return 0;
}

int img_write(struct img *img, const ProtobufCMessage *message)
{
	uint32_t size = protobuf_c_message_get_packed_size(message);
	auto_free unsigned char *packed = xrealloc(NULL, size);

	protobuf_c_message_pack(message, packed);
	if (img_write_raw(img, &size, sizeof(size)) < 0)
		return -1;
	return img_write_raw(img, packed, size);
}

int img_read_raw(struct img *img, void *data, size_t size)
{
	char *to = data;

	if ((off_t)size > img->size - img->taken)
		return err_set(ENODATA, "%s is cut off: %zu bytes wanted at offset %lld of %lld", img->name, size,
			       (long long)img->taken, (long long)img->size);
	img->taken += size;
	while (size) {
		size_t have = img->end - img->at;
		ssize_t n;

		if (have) {
			if (have > size)
				have = size;
			memcpy(to, img->buffer + img->at, have);
			img->at += have;
			to += have;
			size -= have;
			continue;
		}
		n = read(img->fd, img->buffer, BUFFER_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno("cannot read %s", img->name);
		if (n == 0)
			return err_set(ENODATA, "%s shrank while it was read", img->name);
		img->at = 0;
		img->end = n;
	}
	return 0;
}

int img_read(struct img *img, const ProtobufCMessageDescriptor *type, void *message)
{
	ProtobufCMessage **out = message;
	auto_free unsigned char *packed = NULL;
	off_t offset = img->taken;
	uint32_t size;

	if (img->taken == img->size)
		return 0;
	if (img_read_raw(img, &size, sizeof(size)) < 0)
		return -1;
	if (size > IMG_ENTRY_MAX || size > img->size - img->taken)
		return err_set(EINVAL, "%s: the entry at offset %lld claims %u bytes, the file has %lld left", img->name,
			       (long long)offset, size, (long long)(img->size - img->taken));
	packed = xrealloc(NULL, size);
	if (img_read_raw(img, packed, size) < 0)
		return -1;
	*out = protobuf_c_message_unpack(type, NULL, size, packed);
	if (!*out)
		return err_set(EINVAL, "%s: the entry at offset %lld is not a %s", img->name, (long long)offset, type->name);
	return 1;
}

int img_read_one(struct img *img, const ProtobufCMessageDescriptor *type, void *message)
{
	int n = img_read(img, type, message);

	if (n == 0)
		return err_set(ENODATA, "%s ends where a %s belongs", img->name, type->name);
	return n < 0 ? -1 : 0;
}

off_t img_left(const struct img *img)
{
	return img->size - img->taken;
}

int img_fd(struct img *img)
{
	if (flush(img) < 0)
		return -1;
	if (!img->writing && lseek(img->fd, lseek(img->fd, 0, SEEK_CUR) - (off_t)(img->end - img->at), SEEK_SET) < 0)
		return err_errno("cannot seek in %s", img->name);
	img->at = img->end = 0;
	return img->fd;
}

const char *img_name(const struct img *img)
{
	return img->name;
}

int img_close(struct img *img)
{
	int result;

	if (!img)
		return 0;
	if (img->writing && img->fd < 0 && write_behind_running() && write_behind_push(img) == 0)
		return 0;
	result = flush(img);
	if (close(img->fd) < 0 && !result && img->writing)
		result = err_errno("cannot write %s", img->name);
	img->fd = -1;
	drop(img);
	return result;
}
