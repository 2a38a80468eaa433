/* SPDX-License-Identifier: MIT
 *
 * The fields of criu_opts that pcr has no answer to, and those that mean nothing here. All others cli/swrk_opts.c takes.
 */
#ifndef PCR_CLI_RPC_FIELDS_H
#define PCR_CLI_RPC_FIELDS_H

#include "rpc.pb-c.h"

/* Refuses by name what is set and cannot be done, and logs what is set and changes nothing. Returns 0 or -1 with the error set. */
int rpc_fields_check(const CriuOpts *opts);

#endif
