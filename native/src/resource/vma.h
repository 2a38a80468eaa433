/* SPDX-License-Identifier: MIT
 *
 * Mappings. Dump: what /proc/PID/smaps shows (proc_pid_smaps(5)), classified as the images want it.
 */
#ifndef PCR_RESOURCE_VMA_H
#define PCR_RESOURCE_VMA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "images/vma.pb-c.h"

/* status bits of vma_entry, as crit decodes them */
#define VMA_AREA_REGULAR (1u << 0)
#define VMA_AREA_STACK (1u << 1)
#define VMA_AREA_VSYSCALL (1u << 2)
#define VMA_AREA_VDSO (1u << 3)
#define VMA_AREA_HEAP (1u << 5)
#define VMA_FILE_PRIVATE (1u << 6)
#define VMA_FILE_SHARED (1u << 7)
#define VMA_ANON_SHARED (1u << 8)
#define VMA_ANON_PRIVATE (1u << 9)
#define VMA_AREA_SYSVIPC (1u << 10)
#define VMA_AREA_SOCKET (1u << 11)
#define VMA_AREA_VVAR (1u << 12)
#define VMA_AREA_AIORING (1u << 13)
#define VMA_AREA_MEMFD (1u << 14)

enum vma_kind { VMA_ANON, VMA_MEMFD, VMA_SOCKET, VMA_SYSV, VMA_AIO, VMA_FILE, VMA_VDSO, VMA_VVAR, VMA_VSYSCALL };

/* Where mmap(2), memfd_create(2) and shmget(2) have the logarithm of the size of huge pages (linux/mman.h, MAP_HUGE_SHIFT). */
#define HUGE_SHIFT 26
#define HUGE_MASK (0x3fU << HUGE_SHIFT)

/* The size of huge pages as these flags have it; 0 when they do not say. */
static inline uint64_t huge_page_size(uint32_t flags)
{
	uint32_t log = flags >> HUGE_SHIFT & 0x3f;

	return log ? 1ULL << log : 0;
}

static inline uint32_t huge_page_flags(uint64_t size)
{
	return size ? (uint32_t)__builtin_ctzll(size) << HUGE_SHIFT : 0;
}

struct dump;
struct task;

/* One mapping of a frozen task. */
struct vma {
	uint64_t start, end, pgoff; /* pgoff in bytes */
	uint32_t prot, flags; /* PROT_ and MAP_ bits of mmap(2) */
	uint64_t madvise; /* bit n set: madvise(2) advice n is in force */
	enum vma_kind kind;
	uint64_t dev, inode; /* of a file or shared memory */
	uint32_t file_id; /* of the file in the images, 0 for none */
	uint64_t huge; /* bytes of a page of hugetlbfs, 0 for ordinary memory */
	bool may_guard; /* "gu": it may have guard regions (madvise(2), MADV_GUARD_INSTALL) */
	uint64_t *guards; /* start and end of each */
	size_t guard_count, guard_room; /* numbers, two for each region */
	bool tracked; /* pcr's own write protection is on it (tree/track.h) */
	bool has_key; /* a protection key other than the usual: pkeys(7) */
	bool lock_on_fault; /* "lf": locked with MLOCK_ONFAULT */
	bool may_write; /* "mw": a shared mapping that may become writable needs its file opened so */
};

/* Reads the mappings of a frozen task into task->vmas, ascending; dumps the files they map. Refuses by address what cannot be
 * dumped yet. Returns 0 or -1 with the error set. */
int vma_collect(struct dump *dump, struct task *task);

/* The image's form of a mapping; malloc'd, freed with the mm_entry that takes it. */
VmaEntry *vma_to_entry(const struct task *task, const struct vma *vma);

#endif
