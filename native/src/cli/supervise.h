/* SPDX-License-Identifier: MIT
 *
 * pcr supervise: the ancestor of a tree, which tells how the tree ended and serves CRIU RPC for it. An ancestor may trace its descendants
 * where Yama allows nobody else to (kernel.yama.ptrace_scope 1).
 */
#ifndef PCR_CLI_SUPERVISE_H
#define PCR_CLI_SUPERVISE_H

#include "cli/request.h"

/* Starts or restores what the arguments behind "supervise" say (argv[0] is the verb), and stays until its root process has ended.
 * request: defaults for a restore. Returns the exit status as a shell gives it, 0 to 255; 0 as well when a dump ended the tree, and for
 * --daemon when all is well; -1 with the error set when nothing was started. */
int supervise_run(int argc, char **argv, struct request *request);

#endif
