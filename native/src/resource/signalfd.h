/* SPDX-License-Identifier: MIT
 *
 * Signals behind descriptors: signalfd(2).
 */
#ifndef PCR_RESOURCE_SIGNALFD_H
#define PCR_RESOURCE_SIGNALFD_H

#include "resource/fd_kind.h"

extern const struct fd_kind signalfd_kind;

#endif
