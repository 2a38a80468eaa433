/* SPDX-License-Identifier: MIT
 *
 * Moves page contents from a frozen task or a shared memory file into pages-N.img and notes the runs in a pagemap image.
 * Reading and writing overlap: one thread reads, one writes. An archive is packed while pages-N.img grow: what is in them stays as it is,
 * they grow at their end alone, and one is whole when the next one (of a larger N) is there.
 */
#ifndef PCR_RESOURCE_PAGE_WRITER_H
#define PCR_RESOURCE_PAGE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "resource/page_source.h"

struct dump;
struct page_writer;

/* pagemap_entry flags, as crit decodes them */
#define PE_PARENT (1u << 0)
#define PE_LAZY (1u << 1)
#define PE_PRESENT (1u << 2)

/* Starts a pair of images. kind: IMG_PAGEMAP or IMG_SHMEM_PAGEMAP, id names it. Returns NULL with the error set. */
struct page_writer *page_writer_open(struct dump *dump, int kind, unsigned long id);

/* size: bytes that will be added, or somewhat more. Only for speed. */
void page_writer_expect(struct page_writer *w, uint64_t size);

/* Adds size bytes at address (of the task, or offset in the file). skip_zeros: pages of zeros need not be written. flags: PE_ bits of
 * the entries. The page numbers in the images are of image_address. Returns 0 or -1 with the error set. */
int page_writer_add(struct page_writer *w, const struct page_source *source, uint64_t address, uint64_t image_address, uint64_t size,
		    bool skip_zeros, uint32_t flags);

/* Notes pages whose contents are left out of the images (lazy/serve.h). Returns 0 or -1 with the error set. */
int page_writer_leave(struct page_writer *w, uint64_t image_address, uint64_t size);

/* Notes pages whose contents are in the parent dump. Returns 0 or -1 with the error set. */
int page_writer_refer(struct page_writer *w, uint64_t image_address, uint64_t size);

/* Writes out all that is pending and closes. *written: pages. Returns 0 or -1 with the error set. Frees w in any case. */
int page_writer_close(struct page_writer *w, uint64_t *written);

#endif
