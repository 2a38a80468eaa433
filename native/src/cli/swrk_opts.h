/* SPDX-License-Identifier: MIT
 *
 * criu_opts to struct request.
 */
#ifndef PCR_CLI_SWRK_OPTS_H
#define PCR_CLI_SWRK_OPTS_H

#include "cli/request.h"
#include "rpc.pb-c.h"

/* Opens the directories and takes every option over. A set option that pcr has no answer to is refused by its name. peer: as in
 * swrk_run. opts must live as long as request. Returns 0 or -1 with the error set. */
int swrk_opts_take(const CriuOpts *opts, pid_t peer, struct request *request);

/* Closes the directories. */
void swrk_opts_close(struct request *request);

#endif
