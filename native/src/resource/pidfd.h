/* SPDX-License-Identifier: MIT
 *
 * Process descriptors, pidfd_open(2).
 */
#ifndef PCR_RESOURCE_PIDFD_H
#define PCR_RESOURCE_PIDFD_H

#include "resource/fd_kind.h"

extern const struct fd_kind pidfd_kind;

#endif
