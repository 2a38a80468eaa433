/* SPDX-License-Identifier: MIT
 *
 * Anonymous pipes.
 */
#ifndef PCR_RESOURCE_PIPE_H
#define PCR_RESOURCE_PIPE_H

#include "resource/fd_kind.h"

extern const struct fd_kind pipe_kind;

struct img;

/* Copies what is in a pipe or FIFO, without taking it out, as an entry with its data. Returns 0 or -1 with the error set. */
int pipe_dump_data(const struct fd_info *info, uint32_t id, struct img *img);

#endif
