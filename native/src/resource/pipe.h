/* SPDX-License-Identifier: MIT
 *
 * Anonymous pipes.
 */
#ifndef PCR_RESOURCE_PIPE_H
#define PCR_RESOURCE_PIPE_H

#include "resource/fd_kind.h"

extern const struct fd_kind pipe_kind;

#endif
