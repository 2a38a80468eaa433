/* SPDX-License-Identifier: MIT
 *
 * Image files: magic, framing, protobuf-c. Formats, names and magics: criu-facts/README.md and image-files.tsv.
 * Everything read is taken as hostile: sizes are held against the file before memory is.
 */
#ifndef PCR_IMAGE_IMAGE_H
#define PCR_IMAGE_IMAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum img_kind {
	IMG_INVENTORY, IMG_PSTREE, IMG_CORE, IMG_IDS, IMG_MM, IMG_PAGEMAP, IMG_SHMEM_PAGEMAP, IMG_PAGES, IMG_FDINFO,
	IMG_FILES, IMG_FS, IMG_PIPES_DATA, IMG_FIFO_DATA, IMG_REMAP_FPATH, IMG_GHOST_FILE, IMG_MEMFD, IMG_TTY_INFO,
	IMG_TTY_DATA, IMG_SK_QUEUES, IMG_SECCOMP, IMG_TIMENS, IMG_CGROUP, IMG_FILE_LOCKS, IMG_TCP_STREAM, IMG_CREDS,
	IMG_PCR_MAPPED, IMG_IPCNS_SHM,
	IMG_STATS_DUMP, IMG_STATS_RESTORE, IMG_CPUINFO, IMG_KIND_COUNT
};

struct img;

/* How many bytes one entry may have; far above what a real image holds. */
#define IMG_ENTRY_MAX (64UL << 20)

/* From now on only image files that belong to uid are read: what somebody else made may be there to harm whoever restores it. */
void img_set_owner(uid_t uid);

/* openat(2); O_NOFOLLOW, O_CLOEXEC and, where a file is made, mode 0600. Returns a descriptor or -1 with errno, EPERM where
 * img_set_owner's uid does not own it. */
int img_openat(int dirfd, const char *name, int flags);

/* Creates an image in directory dirfd (mode 0600, an older one is replaced, links are not followed) and writes its
 * magic. id fills the kind's name. Returns the image or NULL with the error set. */
struct img *img_create(int dirfd, enum img_kind kind, unsigned long id);

/* Opens an image and checks its magic. A missing file gives NULL with no error set and errno ENOENT when optional is true, else the
 * error is set: missing, not a regular file, foreign magic. */
struct img *img_open(int dirfd, enum img_kind kind, unsigned long id, bool optional);

/* As img_open for a raw image, without a reader: returns its descriptor, opened with flags, or -1 with the error set. */
int img_open_raw(int dirfd, enum img_kind kind, unsigned long id, int flags);

/* The dump before this one, to which the link `parent` in its images directory leads. Returns the descriptor of that directory; -1 with
 * the error set, ENOENT when there is no such link or directory. */
int img_open_parent(int dirfd);

/* Makes the link: path as seen from dirfd; NULL: none, an older one is removed. It counts as an image that img_remove_created removes.
 * Returns 0 or -1 with the error set: also when path is not a directory. */
int img_link_parent(int dirfd, const char *path);

/* Writes one entry: u32 size and the packed message. Returns 0 or -1 with the error set. */
int img_write(struct img *img, const ProtobufCMessage *message);

/* Payload behind an entry, or contents of a raw image. Returns 0 or -1 with the error set. */
int img_write_raw(struct img *img, const void *data, size_t size);

/* Reads one entry. Returns 1 with *message to be freed by protobuf_c_message_free_unpacked, 0 at the end of the file, -1 with
 * the error set (truncated, oversized, not the message). */
int img_read(struct img *img, const ProtobufCMessageDescriptor *type, void *message);

/* As img_read, but the end of the file is an error too. Returns 0 or -1. */
int img_read_one(struct img *img, const ProtobufCMessageDescriptor *type, void *message);

/* Payload behind an entry. Returns 0 or -1 with the error set (truncated). */
int img_read_raw(struct img *img, void *data, size_t size);

/* Bytes that are left to read. */
off_t img_left(const struct img *img);

/* The image's descriptor after pending writes, positioned behind all that was read or written by img_ calls; for bulk data of raw
 * images. -1 with the error set when the flush fails. */
int img_fd(struct img *img);

/* The image's file name, for messages. */
const char *img_name(const struct img *img);

/* Flushes and closes. Returns 0 or -1 with the error set (disk full). NULL is fine. */
int img_close(struct img *img);

/* From now on images that fit into their buffers are created and written on another thread after img_close; what goes wrong
 * there comes out of img_write_behind_end, which waits for them all. That returns 0 or -1 with the error set; without a start it does nothing. */
void img_write_behind(void);
int img_write_behind_end(void);

/* Nothing else will be closed for a while: what was is stored now. */
void img_write_behind_wake(void);

/* Removes every image that img_create made in this process since the last call of img_keep_created: after a failed dump no
 * partial result may look whole. */
void img_remove_created(void);
void img_keep_created(void);

/* Renames an image created under a temporary name (only IMG_INVENTORY is) to its own: the dump is whole from then on. */
int img_publish(int dirfd, enum img_kind kind);

static inline void img_close_cleanup(struct img **img)
{
	img_close(*img);
}
#define auto_img __attribute__((cleanup(img_close_cleanup))) struct img

#endif
