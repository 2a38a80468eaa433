/* SPDX-License-Identifier: MIT
 *
 * --join-ns: a restore takes its tree into namespaces that are there already (namespaces(7)).
 */
#ifndef PCR_RESOURCE_JOIN_NS_H
#define PCR_RESOURCE_JOIN_NS_H

#include "cli/request.h"

/* Enters the namespaces of request->join_ns, so that what is forked from now on is in them. Returns 0 or -1 with the error set. */
int join_ns_enter(const struct request *request);

/* Back into those of before. */
void join_ns_leave(void);

#endif
