/* SPDX-License-Identifier: MIT
 *
 * Root directory, working directory and umask of a process: fs-N.img.
 */
#ifndef PCR_RESOURCE_FS_H
#define PCR_RESOURCE_FS_H

struct dump;
struct task;
struct restore_task;

/* --- dump --- */

/* Writes fs-PID.img. Returns 0 or -1 with the error set. */
int fs_dump(struct dump *dump, struct task *task);

/* --- restore --- */

/* For the calling task, whose root and working directory are open at their slots. Returns 0 or -1 with the error set. */
int fs_restore(const struct restore_task *task);

#endif
