/* SPDX-License-Identifier: MIT
 *
 * Root, working directory, umask: fs-N.img.
 */
#ifndef PCR_RESOURCE_FS_H
#define PCR_RESOURCE_FS_H

struct dump;
struct task;

/* --- dump --- */

/* Writes fs-PID.img. Returns 0 or -1 with the error set. */
int fs_dump(struct dump *dump, struct task *task);

#endif
