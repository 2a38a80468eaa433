/* SPDX-License-Identifier: MIT
 *
 * A program that is told of each stage of an action: criu(8), --action-script.
 */
#ifndef PCR_CLI_ACTION_SCRIPT_H
#define PCR_CLI_ACTION_SCRIPT_H

#include "cli/request.h"

/* struct request's notify: runs request->action_script with CRTOOLS_SCRIPT_ACTION, CRTOOLS_INIT_PID and CRTOOLS_IMAGE_DIR set and waits for its
 * end. Returns 0, or -1 with the error set when it cannot be started or does not exit with 0. */
int action_script_run(const struct request *request, const char *stage, pid_t pid);

#endif
