/* SPDX-License-Identifier: MIT
 *
 * criu_opts to struct request.
 */
#ifndef PCR_CLI_SWRK_OPTS_H
#define PCR_CLI_SWRK_OPTS_H

#include "cli/request.h"
#include "cli/swrk_session.h"
#include "rpc.pb-c.h"

/* Reads the configuration files, takes every option over, opens the directories. A set option that pcr has no answer to is refused by its name;
 * docs/rpc-options.md has them all. opts must live as long as request. Returns 0 or -1 with the error set. */
int swrk_opts_take(const struct session *session, const CriuOpts *opts, struct request *request);

/* Closes the directories and descriptors. */
void swrk_opts_close(struct request *request);

#endif
