/* SPDX-License-Identifier: MIT
 *
 * What waits in a pipe or FIFO, and the borders of the packets among it (pipe2(2), O_DIRECT).
 */
#ifndef PCR_RESOURCE_PIPE_DATA_H
#define PCR_RESOURCE_PIPE_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "images/pipe-data.pb-c.h"

struct fd_info;
struct img;

/* As read from an image. */
struct pipe_data {
	uint32_t size, bytes; /* of the pipe, 0: not known; of what waits in it */
	char *data;
	uint32_t *pieces; /* lengths: a plain part, a packet, a plain part, ...; none: all is plain */
	size_t piece_count;
};

/* Copies what is in a pipe or FIFO, without taking it out, as an entry with its data. Returns 0 or -1 with the error set. */
int pipe_data_dump(const struct fd_info *info, uint32_t id, struct img *img);

/* Takes an entry, just read from img, and the data behind it. Returns 0 or -1 with the error set. */
int pipe_data_take(struct img *img, const PipeDataEntry *entry, struct pipe_data *data);

/* Makes the empty pipe as large as it was and puts the data into it; fd: open for writing, O_NONBLOCK. what: for messages, "pipe:[7]".
 * Returns 0 or -1 with the error set. */
int pipe_data_fill(int fd, const struct pipe_data *data, const char *what);

#endif
