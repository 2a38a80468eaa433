/* SPDX-License-Identifier: MIT
 *
 * The page server's protocol, as two real CRIU 4.1 speak it over a TCP connection (seen with strace; numbers are little-endian). The dump
 * sends requests of 24 bytes, one images at a time:
 *
 *   OPEN    starts pagemap-ID.img, pagemap-shmem-ID.img; the server answers one byte: whether its parent directory has that image, too
 *   ADD     a run of pages; behind it their contents, if its flags have PE_PRESENT
 *   CLOSE   all is there; the server answers a number of 4 bytes, 0, when it is on disk
 *
 * After dump --lazy-pages the dump itself is the server, of the memory that it left out, and the lazy-pages daemon is the client:
 *
 *   GET     pages of a process, whose pid alone is the id; the server answers a request ADD of the same pages, or of the first of them, and their contents
 *   CLOSE   all has been got; the server answers as above and ends the processes
 *
 * (What a GET looks like was seen; Debian's CRIU 4.1.1 crashes on it, as the server: the answer's form is what its client takes.)
 */
#ifndef PCR_PAGESERVER_WIRE_H
#define PCR_PAGESERVER_WIRE_H

#include <stdint.h>

#define PS_ADD 6 /* PE_ flags of the run (resource/page_writer.h) in the upper 16 bits */
#define PS_GET 7
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
