/* SPDX-License-Identifier: MIT
 *
 * Lets the memory of a task be written into its pages image by a process that has it: the copy of it that was made for a snapshot, or one that
 * shares it while the task stands still. That saves reading it into a buffer, which costs as much as writing.
 *
 * Neither shows to the task, and both die with pcr. Where it is not safe, or does not pay, the pages are read as ever.
 */
#ifndef PCR_TREE_SELF_WRITE_H
#define PCR_TREE_SELF_WRITE_H

struct dump;
struct task;

/* The task was asked and its pages are found. Sets task->writer, or logs why not. */
void self_write_start(struct dump *dump, struct task *task);

/* Ends the process, and puts back what was changed in the task for its sake. Returns 0 or -1 with the error set. */
int self_write_end(struct task *task);

#endif
