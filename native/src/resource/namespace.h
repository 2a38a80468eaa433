/* SPDX-License-Identifier: MIT
 *
 * Namespaces, and what else processes of a tree may share (kcmp(2)): the ids in inventory.img and ids-N.img.
 */
#ifndef PCR_RESOURCE_NAMESPACE_H
#define PCR_RESOURCE_NAMESPACE_H

#include "images/core.pb-c.h"

struct dump;
struct task;

/* --- dump --- */

/* Numbers for the namespaces and tables of pcr itself, by which a restore knows that the tree has none of its own. */
void namespace_ids_of_self(TaskKobjIdsEntry *ids);

/* Refuses a task that lives in a namespace that is not pcr's, by its name; time namespaces: clocks.h. Returns 0 or -1 with the error set. */
int namespace_check(const struct task *task);

/* Sets vm_id, files_id, fs_id and sighand_id of a task, equal to an earlier task's where they share. Returns 0 or -1 with the error set:
 * shared memory or handlers between processes, which cannot be dumped. */
int shared_tables_collect(struct task *task);

/* Forgets the tables met: one dump has ended. */
void shared_tables_end(void);

/* Writes ids-PID.img. Returns 0 or -1 with the error set. */
int ids_dump(struct dump *dump, struct task *task);

#endif
