/* SPDX-License-Identifier: MIT
 *
 * Timers behind descriptors: timerfd_create(2).
 */
#ifndef PCR_RESOURCE_TIMERFD_H
#define PCR_RESOURCE_TIMERFD_H

#include "resource/fd_kind.h"

extern const struct fd_kind timerfd_kind;

#endif
