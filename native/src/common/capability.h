/* SPDX-License-Identifier: MIT
 *
 * What this process may do, capabilities(7).
 */
#ifndef PCR_COMMON_CAPABILITY_H
#define PCR_COMMON_CAPABILITY_H

#include <linux/capability.h>
#include <stdbool.h>

#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

/* Whether it is effective, in the user namespace that the process lives in. */
bool has_capability(int capability);

#endif
