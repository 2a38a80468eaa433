/* SPDX-License-Identifier: MIT */
#include "resource/page_source.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"

static int read_contents(const struct page_source *source, uint64_t address, char *to, size_t *all)
{
	size_t size = *all;

	if (source->kept) {
		memcpy(to, source->kept + (address - source->kept_address), size);
		return 0;
	}
	if (source->fd >= 0) {
		ssize_t n = pread(source->fd, to, size, address);

		/* The last page, of a file that ends within it. */
		if (n > (ssize_t)(size - PAGE) && n < (ssize_t)size) {
			memset(to + n, 0, size - n);
			n = size;
		}
		if (n != (ssize_t)size)
			return err_errno("cannot read shared memory at offset 0x%llx", (unsigned long long)address);
		return 0;
	}
	while (size) {
		struct iovec local = { to, size }, remote = { (void *)address, size };
		ssize_t n = source->pid ? process_vm_readv(source->pid, &local, 1, &remote, 1, 0) : pread(source->mem_fd, to, size, address);

		/* What is not PROT_READ only the tracer's way reads. */
		if (n <= 0 && source->pid && source->mem_fd >= 0)
			n = pread(source->mem_fd, to, PAGE, address);
		if (n > 0 && n % PAGE) /* the end of a mapping that went away meanwhile */
			n -= n % PAGE;
		if (n <= 0 && source->running) {
			*all -= size;
			return 0;
		}
		if (n <= 0)
			return err_errno("pid %d: cannot read its memory at 0x%llx", source->pid, (unsigned long long)address);
		to += n;
		address += n;
		size -= n;
	}
	return 0;
}

int page_source_read(const struct page_source *source, uint64_t address, char *to, size_t *all)
{
	uint64_t from = source->blank > address ? source->blank : address, end = source->blank_end;

	if (read_contents(source, address, to, all) < 0)
		return -1;
	if (end > address + *all)
		end = address + *all;
	if (from < end)
		memset(to + (from - address), 0, end - from);
	return 0;
}
