/* SPDX-License-Identifier: MIT
 *
 * Resource limits (getrlimit(2)).
 */
#ifndef PCR_RESOURCE_RLIMIT_H
#define PCR_RESOURCE_RLIMIT_H

#include "images/core.pb-c.h"

struct task;

/* --- dump --- */

/* All limits in the order of their RLIMIT_ numbers. Returns NULL with the error set. */
TaskRlimitsEntry *rlimit_dump(const struct task *task);

#endif
