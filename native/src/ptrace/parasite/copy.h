/* SPDX-License-Identifier: MIT
 *
 * A copy of the process's memory: a process of its own that shares nothing with it but pages that neither writes.
 */
#ifndef PCR_PTRACE_PARASITE_COPY_H
#define PCR_PTRACE_PARASITE_COPY_H

struct parasite_args;

/* Makes the copy; args->result gets its pid or a negative errno. No thread of the process runs but this one, and no SIGCHLD is pending. */
void copy_make(struct parasite_args *args);

#endif
