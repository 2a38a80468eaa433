/* SPDX-License-Identifier: MIT
 *
 * What pcr and a copy (ptrace/parasite/serve.c) say to each other: SOCK_SEQPACKET, one message each way for one another. The first one,
 * and any later one, may bring a descriptor (SCM_RIGHTS): the file that is written from then on, at its own position.
 */
#ifndef PCR_PTRACE_COPY_PROTOCOL_H
#define PCR_PTRACE_COPY_PROTOCOL_H

#include <stdint.h>

#define COPY_PAGES_MAX 512 /* of one request: as much as a processor's own cache holds */

/* Write the pages from address on that are not all zeros. */
struct copy_request {
	uint64_t address;
	uint64_t pages; /* 0: a file comes, nothing is written and nothing answered */
};

struct copy_reply {
	int64_t error; /* 0, or a negative errno: from then on nothing more is written and all answers are this one */
	uint8_t zeros[COPY_PAGES_MAX / 8]; /* bit n: page n was of zeros */
};

#endif
