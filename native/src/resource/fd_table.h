/* SPDX-License-Identifier: MIT
 *
 * Descriptor tables: which number of which task is which open file.
 */
#ifndef PCR_RESOURCE_FD_TABLE_H
#define PCR_RESOURCE_FD_TABLE_H

#include <stdint.h>

struct dump;
struct task;

/* --- dump --- */

/* Writes fdinfo-N.img of a task whose files_id is set and shared with no task dumped before, and each open file that was not met
 * before to files.img. Returns 0; -1 with the error set, naming pid, descriptor and kind. */
int fd_table_dump(struct dump *dump, struct task *task);

/* Dumps an open file that a message in a socket's queue carries; fd: a descriptor of this process, which stays open until the dump
 * ends. Returns 0 with *id set, or -1 with the error set. */
int fd_table_dump_in_flight(struct dump *dump, int fd, uint32_t *id);

/* Forgets the open files met: one dump has ended. */
void fd_table_dump_end(void);

#endif
