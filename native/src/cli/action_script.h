/* SPDX-License-Identifier: MIT
 *
 * A program that is told of each stage of an action: criu(8), --action-script.
 */
#ifndef PCR_CLI_ACTION_SCRIPT_H
#define PCR_CLI_ACTION_SCRIPT_H

#include "cli/request.h"

/* Adds a program; its path is looked up from here, or else from the work directory. Returns 0 or -1 with the error set. */
int action_script_add(struct request *request, const char *path);

/* struct request's notify: runs each program in the work directory, the one added last first, as criu does, with CRTOOLS_SCRIPT_ACTION,
 * CRTOOLS_INIT_PID and CRTOOLS_IMAGE_DIR set, and waits for its end. Returns 0, or -1 with the error set when one cannot be started or
 * does not exit with 0. */
int action_script_run(const struct request *request, const char *stage, pid_t pid);

#endif
