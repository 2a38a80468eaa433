/* SPDX-License-Identifier: MIT
 *
 * Files whose path does not lead to them (remap-fpath.img): deleted ones, kept as ghosts; those that lost one of several links, kept
 * by a new link beside the old name (--link-remap).
 */
#ifndef PCR_RESOURCE_REMAP_H
#define PCR_RESOURCE_REMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "images/fdinfo.pb-c.h"

struct dump;
struct restore;

/* --- dump --- */

/* Notes that the file of files.img with this id is not found at path. access: a path that leads to it now, "/proc/7/fd/3". what: for
 * messages. Returns 0 or -1 with the error set: larger than --ghost-limit, other links but no --link-remap. */
int remap_dump(struct dump *dump, const char *what, const char *access, const char *path, const struct stat *st, uint32_t id);

/* Notes that the file is an entry in /proc of a process that has ended. Returns 0 or -1 with the error set. */
int remap_dump_dead(struct dump *dump, uint32_t id, pid_t pid);

/* After the last file: all is on disk. Returns 0 or -1 with the error set. */
int remap_dump_close(void);

/* One dump has ended; after a failure the links made for it go. */
void remap_dump_end(bool failed);

/* --- restore --- */

/* Reads remap-fpath.img and checks what it names. After files.img. Returns 0 or -1 with the error set. */
int remaps_read(struct restore *restore);

/* Whether the file with this id comes back through a ghost or link. */
bool remap_has(uint32_t id);

/* Whether files are entries in /proc of a process with this pid that had ended. */
bool remap_is_dead(pid_t pid);

/* When the ghosts are open: a slot of the deleted file that had this device (as ghost_dev() has it) and inode; -1 when there is none. */
int remap_find_ghost(const struct restore *restore, uint32_t dev, uint64_t ino);

/* In the coordinator, when slots are given: makes each remapped file under its old name for as long as its descriptors are opened
 * into their slots. Returns 0, or -1 with the error set and no name left behind. */
int remaps_open(struct restore *restore);

/* The tree runs: the links made for the dump have served. */
void remaps_done(void);

#endif
