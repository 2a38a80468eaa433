/* SPDX-License-Identifier: MIT
 *
 * What inotify and fanotify have in common: watched files are known by device, inode and handle (name_to_handle_at(2)), not by path.
 */
#ifndef PCR_RESOURCE_FSNOTIFY_H
#define PCR_RESOURCE_FSNOTIFY_H

#include <stdint.h>
#include <sys/types.h>

#include "images/fh.pb-c.h"

struct restore;

/* The handle at the end of a line of fdinfo ("fhandle-bytes:8 fhandle-type:1 f_handle:0a80..."; proc_pid_fdinfo(5)), with the path that
 * leads to the file; malloc'd. pid: whose watch it is. dev, inode: "sdev:", "ino:". what: for messages. NULL with the error set. */
FhEntry *fsnotify_dump_handle(pid_t pid, const char *what, const char *line, uint32_t dev, uint64_t inode);

/* Where a mount is mounted. Returns malloc'd text or NULL with the error set. */
char *fsnotify_mount_path(const char *what, int mnt_id);

/* A path by which the watched file with this device (major << 20 | minor) and inode can be watched again, in buffer; by *fd when it is not -1, to be closed afterwards. Returns 0 or
 * -1 with the error set: it is gone. */
int fsnotify_find(const struct restore *restore, const FhEntry *handle, uint32_t dev, uint64_t ino, char *buffer, size_t size, int *fd);

#endif
