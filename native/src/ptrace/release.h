/* SPDX-License-Identifier: MIT
 *
 * The end of a restore, from outside: the threads of the new tree stand in the restorer's blob; they get their registers, the blob's
 * region is unmapped, and all are let go, or none.
 */
#ifndef PCR_PTRACE_RELEASE_H
#define PCR_PTRACE_RELEASE_H

#include <sys/types.h>

struct restore;

/* Traces one thread so that it dies when pcr does and its seccomp filters are suspended. Returns 0 or -1 with the error set. */
int release_seize(const struct restore *restore, pid_t tid);

/* Traces all threads but the root's leader, which is traced already. Returns 0 or -1 with the error set. */
int release_seize_all(struct restore *restore);

/* Stops every thread, unmaps the regions, sets registers, xsave areas and signal masks. Returns 0 or -1 with the error set. */
int release_prepare(struct restore *restore);

/* Lets all threads go. */
void release_all(struct restore *restore);

#endif
