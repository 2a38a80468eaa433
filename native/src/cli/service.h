/* SPDX-License-Identifier: MIT
 *
 * pcr service: criu(8), service. A socket at which RPC requests are taken, each connection by a process of its own.
 */
#ifndef PCR_CLI_SERVICE_H
#define PCR_CLI_SERVICE_H

#include "cli/options.h"

/* Listens at command->address (a path, or @NAME for an abstract one) and serves until SIGTERM or SIGINT; requests that are under way then
 * are carried out. With daemon it goes on in the background once it listens. Returns 0 or -1 with the error set. */
int service_run(struct command *command);

#endif
