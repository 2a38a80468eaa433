/* SPDX-License-Identifier: MIT
 *
 * core-N.img: what a thread and its process are made of besides memory and files.
 */
#ifndef PCR_TREE_CORE_DUMP_H
#define PCR_TREE_CORE_DUMP_H

struct dump;
struct task;

/* Collects what is known from outside before anything is asked of the task: seccomp, POSIX timers. Returns 0 or -1 with the error set. */
int core_check(struct task *task);

/* Writes core-TID.img of every thread, the leader's with the process's part; of a zombie just that. Returns 0 or -1 with the error set. */
int core_dump(struct dump *dump, struct task *task);

#endif
