/* SPDX-License-Identifier: MIT
 *
 * The page server's protocol, as two real CRIU 4.1 speak it over a TCP connection (seen with strace; numbers are little-endian). The dump
 * sends requests of 24 bytes, one images at a time:
 *
 *   OPEN    starts pagemap-ID.img, pagemap-shmem-ID.img; the server answers one byte: whether its parent directory has that image, too
 *   ADD     a run of pages; behind it their contents, if its flags have PE_PRESENT
 *   CLOSE   all is there; the server answers a number of 4 bytes, 0, when it is on disk
 */
#ifndef PCR_PAGESERVER_WIRE_H
#define PCR_PAGESERVER_WIRE_H

#include <stdint.h>

#define PS_ADD 6 /* PE_ flags of the run (resource/page_writer.h) in the upper 16 bits */
#define PS_OPEN 4
#define PS_CLOSE 0x1023

struct ps_request {
	uint32_t command;
	uint32_t pages;
	uint64_t vaddr; /* of the run; offset in shared memory */
	uint64_t id; /* number in the image's name << 8 | kind */
};

#define PS_KIND_TASK 1
#define PS_KIND_SHMEM 2

#endif
