/* SPDX-License-Identifier: MIT
 *
 * Dumping the memory of a tree that runs on: within the freeze each process makes a copy-on-write copy of its memory (ptrace/parasite/copy.c
 * says how), and the pages are read from the copies after the thaw. What a fork does not copy is read within the freeze; shared memory is written within it.
 *
 * A copy is traced with PTRACE_O_EXITKILL: it dies with pcr. It has no descriptors but those of its work (self_writer.h), a session of its
 * own, and the highest oom_score_adj: when memory gets short it goes first, and the dump fails without harm.
 */
#ifndef PCR_TREE_SNAPSHOT_H
#define PCR_TREE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

struct dump;
struct task;

/* Looks, once in a dump, whether copies of earlier dumps were left; best before the freeze. */
void snapshot_look(struct dump *dump);

/* After the tasks were asked: makes copies of those for which that is safe and pays, and reads what small ones have. Who has neither afterwards
 * (task->copy_pid is 0, task->all_kept false) is to be written within the freeze; why is logged. dump->copies: how many have. */
void snapshot_take(struct dump *dump);

/* Why no process may be made from inside the task; NULL: it may. After snapshot_look, and after the task was asked. */
const char *snapshot_no_process(const struct dump *dump, const struct task *task);

/* Bytes of the task's anonymous memory, also that swapped out: proc_pid_status(5). */
uint64_t snapshot_private_bytes(const struct task *task);

/* Finds the pages of a task that has a copy (task->ranges). Returns 0 or -1 with the error set. */
int snapshot_scan(struct task *task);

/* Kills the copies and waits for their end. */
void snapshot_end(struct dump *dump);

#endif
