/* SPDX-License-Identifier: MIT
 *
 * A file as an image: its attributes and contents, holes left out (ghost-file-N.img of deleted files, pcr-mapped-N.img of mapped ones
 * that somebody else may remove).
 */
#ifndef PCR_RESOURCE_GHOST_H
#define PCR_RESOURCE_GHOST_H

#include <stdint.h>
#include <sys/stat.h>

#include "image/image.h"

struct dump;

/* The kernel's internal device number, major << 20 | minor, as the images have it (linux/kdev_t.h). */
uint32_t ghost_dev(dev_t dev);

/* Writes an image of the file. access: a path that leads to it, "/proc/7/fd/3". what: for messages. Returns 0 or -1 with the error set. */
int ghost_write(struct dump *dump, enum img_kind kind, unsigned long id, const char *what, const char *access, const struct stat *st);

/* Reads the image and checks it against itself, without making anything. Returns 0 or -1 with the error set. */
int ghost_check(int dirfd, enum img_kind kind, unsigned long id);

/* Which file the image, checked before, was made of: *dev as ghost_dev() has it. Returns 0 or -1 with the error set. */
int ghost_identity(int dirfd, enum img_kind kind, unsigned long id, uint32_t *dev, uint64_t *ino);

/* Makes the file: a new inode called path, which must not exist, or filled into an O_TMPFILE that is open as fd (then path only
 * serves messages; fd -1 otherwise). Returns 0, or -1 with the error set and nothing left at path. */
int ghost_make(int dirfd, enum img_kind kind, unsigned long id, const char *path, int fd);

#endif
