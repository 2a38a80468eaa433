/* SPDX-License-Identifier: MIT
 *
 * A dump whose memory goes to a page server (pageserver/wire.h) and not into its own images.
 */
#ifndef PCR_PAGESERVER_CLIENT_H
#define PCR_PAGESERVER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/request.h"

/* A run of pages, as it goes into a pagemap. */
struct ps_run {
	uint64_t vaddr, pages;
	uint32_t flags; /* PE_ bits of resource/page_writer.h */
};

/* Connects when request wants a page server. Returns 0 or -1 with the error set. */
int ps_client_begin(const struct request *request);

/* Starts the memory of a task (shared: of a shared memory segment) of that number. Returns 0 or -1 with the error set. */
int ps_client_open(bool shared, unsigned long id);

/* Sends runs; contents: of all those with PE_PRESENT, one behind the other. Returns 0 or -1 with the error set. */
int ps_client_send(const struct ps_run *runs, size_t count, const char *contents);

/* Says that this was all and waits until the server has it on disk. Returns 0 or -1 with the error set; 0 without a server. */
int ps_client_end(void);

/* Hangs up, if that has not happened: without ps_client_end before, the server keeps nothing. */
void ps_client_drop(void);

#endif
