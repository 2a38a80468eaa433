/* SPDX-License-Identifier: MIT
 *
 * Servers tell when they listen: criu(8), --status-fd and the stage status-ready of action scripts and notifications.
 */
#ifndef PCR_CLI_READY_H
#define PCR_CLI_READY_H

#include "cli/request.h"

/* Writes a byte 0 to request->status_fd and closes it, then notifies. Returns 0 or -1 with the error set. */
int announce_ready(struct request *request);

#endif
