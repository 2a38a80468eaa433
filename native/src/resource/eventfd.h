/* SPDX-License-Identifier: MIT
 *
 * Event counters: eventfd(2).
 */
#ifndef PCR_RESOURCE_EVENTFD_H
#define PCR_RESOURCE_EVENTFD_H

#include "resource/fd_kind.h"

extern const struct fd_kind eventfd_kind;

#endif
