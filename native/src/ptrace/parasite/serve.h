/* SPDX-License-Identifier: MIT */
#ifndef PCR_PTRACE_PARASITE_SERVE_H
#define PCR_PTRACE_PARASITE_SERVE_H

struct parasite_args;

/* In a copy, or a process that shares the memory: takes pcr's requests (ptrace/copy_protocol.h) from a socket pair in descriptors 0 and 1,
 * until the other end is closed. Needs an empty descriptor table of its own. Returns only at the end. */
void serve(struct parasite_args *args);

#endif
