/* SPDX-License-Identifier: MIT
 *
 * Named pipes: fifo(7).
 */
#ifndef PCR_RESOURCE_FIFO_H
#define PCR_RESOURCE_FIFO_H

#include "resource/fd_kind.h"

extern const struct fd_kind fifo_kind;

#endif
