/* SPDX-License-Identifier: MIT
 *
 * seccomp(2) of threads: strict mode and filters, seccomp.img. While a thread is dumped or rebuilt its filters are suspended
 * (PTRACE_O_SUSPEND_SECCOMP), which takes CAP_SYS_ADMIN and a pcr without filters of its own.
 */
#ifndef PCR_RESOURCE_SECCOMP_H
#define PCR_RESOURCE_SECCOMP_H

#include <sys/types.h>

#include "images/core.pb-c.h"
#include "restorer/restorer.h"

struct dump;
struct restore;
struct restore_task;
struct task;
struct thread;

/* --- dump --- */

/* status: text of /proc/PID/task/TID/status. Notes the mode; suspends the filters for as long as pcr traces the thread. A thread with
 * as many filters as pcr itself has (of the container that both live in) counts as one without. Returns 0 or -1 with the error set. */
int seccomp_look(const struct task *task, struct thread *thread, const char *status);

/* Reads the filters of all threads (PTRACE_SECCOMP_GET_FILTER). Filters that all threads have are noted with the leader, to be shared
 * again. Returns 0 or -1 with the error set. */
int seccomp_collect(struct task *task);

void seccomp_dump(const struct thread *thread, ThreadCoreEntry *entry);

/* Writes seccomp.img. Returns 0 or -1 with the error set. */
int seccomp_dump_end(struct dump *dump);
void seccomp_forget(void);

/* --- restore --- */

/* Reads seccomp.img when a thread needs it, and checks it. After the cores. Returns 0 or -1 with the error set. */
int seccomp_read(struct restore *restore);

/* Bytes that seccomp_fill needs of the restorer's region. */
size_t seccomp_size(const struct restore *restore, const struct restore_task *task);
/* Fills in mode and filters of the thread with this index; *room moves on. */
void seccomp_fill(const struct restore *restore, const struct restore_task *task, size_t index, struct restorer_thread *to, char **room);

#endif
