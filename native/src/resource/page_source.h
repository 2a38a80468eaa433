/* SPDX-License-Identifier: MIT
 *
 * Where the contents of dumped pages come from: another process, its copy, a file, or what was read before.
 */
#ifndef PCR_RESOURCE_PAGE_SOURCE_H
#define PCR_RESOURCE_PAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct self_writer;

/* Where the pages of a run are read from. */
struct page_source {
	pid_t pid; /* process_vm_readv(2) of this process, when fd is -1; 0: mem_fd alone */
	int fd; /* or pread(2) of this file */
	int mem_fd; /* /proc/PID/mem for pages that process_vm_readv may not read (no PROT_READ); -1: none */
	const char *kept; /* not NULL: memory of our own, with what is at kept_address, instead of all these */
	uint64_t kept_address;
	bool running; /* the process runs meanwhile: pages that it unmaps are left out */
	uint64_t blank, blank_end; /* here are zeros, whatever is there now */
	struct self_writer *self; /* writes what is at the same addresses, anonymous and readable; large runs go by it. NULL: none */
};

/* Reads whole pages at address: *size bytes, and gives back how many there are from there on; less than asked for only when the source runs, then
 * 0 for a page that is gone. Returns 0 or -1 with the error set. */
int page_source_read(const struct page_source *source, uint64_t address, char *to, size_t *size);

#endif
