/* SPDX-License-Identifier: MIT
 *
 * Descriptor tables: which number of which task is which open file.
 */
#ifndef PCR_RESOURCE_FD_TABLE_H
#define PCR_RESOURCE_FD_TABLE_H

struct dump;
struct task;

/* --- dump --- */

/* Writes fdinfo-N.img of a task whose files_id is set and shared with no task dumped before, and each open file that was not met
 * before to files.img. Returns 0; -1 with the error set, naming pid, descriptor and kind. */
int fd_table_dump(struct dump *dump, struct task *task);

/* Forgets the open files met: one dump has ended. */
void fd_table_dump_end(void);

#endif
