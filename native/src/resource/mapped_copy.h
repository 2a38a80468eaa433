/* SPDX-License-Identifier: MIT
 *
 * Copies of small files that a task maps shared and may write (pcr-mapped-N.img, N the file's id; a file of ours that CRIU passes
 * over). Somebody else may remove such a file while the task is down: every starting HotSpot removes /tmp/hsperfdata_USER/PID of
 * processes that are not running. Restore then brings it back.
 */
#ifndef PCR_RESOURCE_MAPPED_COPY_H
#define PCR_RESOURCE_MAPPED_COPY_H

#include <stdbool.h>
#include <sys/stat.h>

#include "images/regfile.pb-c.h"

struct dump;
struct restore;

/* Keeps a copy when the file is small enough, and notes it in the entry. access: a path that leads to it. what: for messages. Returns 0
 * or -1 with the error set. */
int mapped_copy_dump(struct dump *dump, const char *what, const char *access, const struct stat *st, RegFileEntry *reg);

/* Whether the images have a copy of the file, which is gone. Returns 1, 0, or -1 with the error set. */
int mapped_copy_check(struct restore *restore, const RegFileEntry *reg);

/* In the coordinator, before any task: makes the files that are gone. Returns 0 or -1 with the error set. */
int mapped_copies_make(struct restore *restore);

/* The restore has failed: removes what was made. */
void mapped_copies_unmake(void);

#endif
