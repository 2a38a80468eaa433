/* SPDX-License-Identifier: MIT
 *
 * File locks: flock(2), POSIX and open file description locks, leases (fcntl(2)); filelocks.img, --file-locks.
 */
#ifndef PCR_RESOURCE_FILELOCK_H
#define PCR_RESOURCE_FILELOCK_H

#include <stdbool.h>

struct dump;
struct fd_info;
struct restore;
struct restore_task;

/* --- dump --- */

/* Notes the locks that fdinfo shows for one descriptor (proc_pid_fdinfo(5)). new_file: the first descriptor of its open file. Returns 0
 * or -1 with the error set: no --file-locks. */
int filelock_dump(struct dump *dump, const struct fd_info *info, bool new_file);

/* After the last descriptor. Returns 0 or -1 with the error set. */
int filelock_dump_end(void);

/* --- restore --- */

/* Reads filelocks.img and checks it. After all descriptors were read. Returns 0 or -1 with the error set. */
int filelocks_read(struct restore *restore);

/* In the task, its descriptors in place and all others closed (closing a file drops its POSIX locks): takes its locks. Returns 0 or -1 with
 * the error set. */
int filelocks_restore(struct restore *restore, const struct restore_task *task);

#endif
