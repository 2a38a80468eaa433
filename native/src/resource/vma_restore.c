/* SPDX-License-Identifier: MIT */
#include "resource/vma_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/prctl.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/aio.h"
#include "resource/memfd.h"
#include "resource/packetsk.h"
#include "resource/page_reader.h"
#include "resource/shmem.h"
#include "resource/sysvshm.h"
#include "resource/vdso.h"
#include "resource/vdso_proxy.h"
#include "resource/vma.h"
#include "resource/vma_lazy.h"
#include "tree/restore_tree.h"

#define HUGE (2UL << 20)
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* asm-generic/mman-common.h */
#endif
#define VMAS_MAX (1UL << 20)

#define KNOWN_STATUS                                                                                                                    \
	(VMA_AREA_REGULAR | VMA_AREA_STACK | VMA_AREA_VSYSCALL | VMA_AREA_VDSO | VMA_AREA_HEAP | VMA_FILE_PRIVATE | VMA_FILE_SHARED |          \
	 VMA_ANON_SHARED | VMA_ANON_PRIVATE | VMA_AREA_VVAR | VMA_AREA_MEMFD | VMA_AREA_SYSVIPC | VMA_AREA_AIORING |             \
	 VMA_AREA_SOCKET)
#define KNOWN_FLAGS                                                                                                                     \
	(MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_STACK |      \
	 MAP_HUGETLB | HUGE_MASK)

/* Bits of vma_entry.madv that madvise(2) brings back. */
static const int advices[] = { MADV_RANDOM, MADV_SEQUENTIAL, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE, MADV_DONTDUMP, MADV_WIPEONFORK,
			       MADV_DONTFORK };

/* --- reading --- */

static int check_entry(const struct restore_task *task, const VmaEntry *e, uint64_t last_end)
{
	uint64_t known = 0;

	if (e->start >= e->end || e->start % PAGE || e->end % PAGE)
		return err_set(EINVAL, "mm-%d.img: a mapping at 0x%" PRIx64 "-0x%" PRIx64, task->pid, e->start, e->end);
	if (e->start < last_end)
		return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " overlaps the one before", task->pid, e->start);
	if (e->status & VMA_AREA_VSYSCALL)
		return 0;
	if (e->end > TASK_SIZE)
		return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 "-0x%" PRIx64 " is not in user space", task->pid, e->start, e->end);
	if (e->status & ~KNOWN_STATUS)
		return err_set(ENOTSUP, "pid %d: the mapping at 0x%" PRIx64 " is of a kind (status 0x%x) that cannot be restored yet", task->pid,
			       e->start, e->status);
	if (e->flags & ~KNOWN_FLAGS)
		return err_set(ENOTSUP, "pid %d: the mapping at 0x%" PRIx64 " has flags 0x%x, which cannot be restored yet", task->pid, e->start,
			       e->flags);
	if (e->flags & HUGE_MASK && !(e->flags & MAP_HUGETLB))
		return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " has flags 0x%x", task->pid, e->start, e->flags);
	if (e->prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC))
		return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " has protection 0x%x", task->pid, e->start, e->prot);
	if (e->pgoff % PAGE || e->pgoff > INT64_MAX - (e->end - e->start))
		return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " has offset 0x%" PRIx64, task->pid, e->start, e->pgoff);
	if (!!(e->flags & MAP_SHARED) == !!(e->flags & MAP_PRIVATE))
		return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " is not either shared or private", task->pid, e->start);
	if (e->n_pcr_guard % 2)
		return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " has half a guard region", task->pid, e->start);
	for (size_t i = 0; i < e->n_pcr_guard; i++)
		if (e->pcr_guard[i] < (i ? e->pcr_guard[i - 1] : e->start) || e->pcr_guard[i] > e->end || e->pcr_guard[i] % PAGE)
			return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " has a guard region at 0x%" PRIx64, task->pid, e->start, e->pcr_guard[i]);
	for (size_t i = 0; i < ARRAY_LEN(advices); i++)
		known |= 1ULL << advices[i];
	if (e->has_madv && e->madv & ~known)
		return err_set(ENOTSUP, "pid %d: the mapping at 0x%" PRIx64 " has madvise bits 0x%" PRIx64 ", which cannot be restored", task->pid,
			       e->start, e->madv & ~known);
	return 0;
}

static int use_shmem(struct restore *restore, struct restore_task *task, struct restore_vma *vma, uint64_t id)
{
	const VmaEntry *e = vma->entry;

	/* The array may move while it grows: settled in vmas_restore. */
	vma->shmem = (void *)(shmem_use(restore, task, id, e->pgoff + (e->end - e->start)) + 1);
	return 0;
}

/* What is behind the mapping. */
static int find_backing(struct restore *restore, struct restore_task *task, struct restore_vma *vma)
{
	const VmaEntry *e = vma->entry;
	uint64_t shmem_id;

	if (e->status & VMA_ANON_PRIVATE) {
		if (!(e->flags & MAP_PRIVATE))
			return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " contradicts itself", task->pid, e->start);
		return 0;
	}
	if (e->status & VMA_AREA_AIORING)
		return aio_check(task, e);
	if (e->status & VMA_AREA_SOCKET) {
		vma->file = packetsk_find(restore, e->shmid);
		if (!vma->file || !(e->flags & MAP_SHARED) || !restore_use_file(restore, task, vma->file->id, -1))
			return err_set(ENOTSUP, "pid %d: the mapping at 0x%" PRIx64 " is of a socket (inode %" PRIu64 ") that the images do not have as a "
				       "packet socket", task->pid, e->start, e->shmid);
		return 0;
	}
	if (e->status & VMA_AREA_SYSVIPC) {
		if (!(e->flags & MAP_SHARED))
			return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " contradicts itself", task->pid, e->start);
		return sysvshm_use(restore, e->shmid, e->pgoff + (e->end - e->start));
	}
	if (e->status & VMA_ANON_SHARED) {
		if (!(e->flags & MAP_SHARED))
			return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " contradicts itself", task->pid, e->start);
		return use_shmem(restore, task, vma, e->shmid);
	}
	if (!(e->status & (VMA_FILE_PRIVATE | VMA_FILE_SHARED)))
		return err_set(ENOTSUP, "pid %d: the mapping at 0x%" PRIx64 " is of a kind (status 0x%x) that cannot be restored yet", task->pid,
			       e->start, e->status);
	if (e->shmid > UINT32_MAX)
		return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " is of file %" PRIu64, task->pid, e->start, e->shmid);
	if (e->status & VMA_AREA_MEMFD && e->flags & MAP_SHARED) {
		int shared = memfd_is_shmem(restore, e->shmid, &shmem_id);

		if (shared)
			return shared < 0 ? err_context("mapping at 0x%" PRIx64, e->start) : use_shmem(restore, task, vma, shmem_id);
	}
	vma->file = restore_use_file(restore, task, e->shmid, e->has_fdflags ? (long)e->fdflags : -1);
	if (!vma->file)
		return err_context("mapping at 0x%" PRIx64, e->start);
	if (vma->file->entry->type != FD_TYPES__MEMFD && vma->file->entry->type != FD_TYPES__REG)
		return err_set(EINVAL, "mm-%d.img: the mapping at 0x%" PRIx64 " is of a %s", task->pid, e->start, vma->file->kind->name);
	return 0;
}

/* Every run of pages lies in mappings that can have contents. */
static int check_runs(const struct restore_task *task)
{
	const MmEntry *mm = task->mm;
	size_t v = 0, own = 0;

	for (size_t i = 0; i < task->pages->count; i++) {
		const struct page_run *r = &task->pages->runs[i];

		for (uint64_t at = r->address; at < r->address + r->size;) {
			while (v < mm->n_vmas && mm->vmas[v]->end <= at)
				v++;
			while (own < task->vma_count && task->vmas[own].entry->end <= at)
				own++;
			if (own < task->vma_count && task->vmas[own].entry->start <= at)
				task->vmas[own].has_pages = true;
			if (v == mm->n_vmas || mm->vmas[v]->start > at || (!(mm->vmas[v]->flags & MAP_PRIVATE) && !(mm->vmas[v]->status & VMA_AREA_AIORING)))
				return err_set(EINVAL, "%s has a page at 0x%" PRIx64 ", where mm-%d.img has no private memory", task->pages->name, at,
					       task->pid);
			at = mm->vmas[v]->end;
		}
	}
	return 0;
}

/* Another kernel's vDSO is memory like any other from here on. */
static void keep_old_vdso(struct restore_task *task)
{
	size_t at = 0;

	while (at < task->vma_count && task->vmas[at].entry->start < task->vdso_start)
		at++;
	memmove(&task->vmas[at + 1], &task->vmas[at], (task->vma_count - at) * sizeof(*task->vmas));
	task->vma_count++;
	task->vmas[at] = (struct restore_vma){ .has_pages = true };
	for (size_t i = 0; i < task->mm->n_vmas; i++)
		if (task->mm->vmas[i]->start == task->vdso_start)
			task->vmas[at].entry = task->mm->vmas[i];
	task->vmas[at].entry->status = VMA_AREA_REGULAR | VMA_ANON_PRIVATE;
	task->vmas[at].entry->flags |= MAP_PRIVATE | MAP_ANONYMOUS;
	task->old_vdso = &task->vmas[at];
	task->vdso_start = task->vvar_start = 0;
}

int vmas_read(struct restore *restore, struct restore_task *task)
{
	const MmEntry *mm = task->mm;
	uint64_t last_end = 0; /* behind what came before */
	int foreign;

	if (mm->n_vmas > VMAS_MAX || mm->n_vmas == 0)
		return err_set(EINVAL, "mm-%d.img has %zu mappings", task->pid, mm->n_vmas);
	task->vmas = xzalloc(mm->n_vmas * sizeof(*task->vmas));
	for (size_t i = 0; i < mm->n_vmas; i++) {
		VmaEntry *e = mm->vmas[i];
		struct restore_vma *vma;

		if (check_entry(task, e, last_end) < 0)
			return -1;
		last_end = e->end;
		if (e->status & VMA_AREA_VSYSCALL)
			continue;
		if (e->status & VMA_AREA_VVAR) {
			if (!task->vvar_start)
				task->vvar_start = e->start;
			task->vvar_end = e->end;
			continue;
		}
		if (e->status & VMA_AREA_VDSO) {
			if (task->vdso_start)
				return err_set(ENOTSUP, "pid %d has two vDSOs, which cannot be restored yet", task->pid);
			task->vdso_start = e->start;
			task->vdso_end = e->end;
			continue;
		}
		vma = &task->vmas[task->vma_count++];
		vma->entry = e;
		if (find_backing(restore, task, vma) < 0)
			return -1;
	}
	task->pages = restore->lazy ? page_runs_read_lazy(restore->dirfd, task->pid) : page_runs_read(restore->dirfd, IMG_PAGEMAP, task->pid, false);
	if (!task->pages)
		return err_context("pid %d", task->pid);
	if (check_runs(task) < 0 || (restore->lazy && vmas_plan_lazy(task) < 0))
		return -1;
	foreign = vdso_check(restore, task);
	if (foreign > 0)
		keep_old_vdso(task);
	return foreign < 0 ? -1 : 0;
}

/* --- in the task --- */

void *vmas_reserve_hole(const struct restore_task *task, uint64_t size)
{
	const MmEntry *mm = task->mm;

	/* From the middle of each gap between the mappings to come, the large ones first. */
	for (uint64_t least = 1UL << 40; least >= PAGE; least >>= 4) {
		uint64_t last_end = 1UL << 20;

		for (size_t i = 0; i <= mm->n_vmas; i++) {
			uint64_t start = i < mm->n_vmas ? mm->vmas[i]->start : TASK_SIZE, gap;

			if (start > TASK_SIZE)
				start = TASK_SIZE;
			gap = start > last_end ? start - last_end : 0;
			if (gap >= least && gap >= size + 2 * PAGE) {
				uint64_t first = last_end + (gap - size) / 2 / HUGE * HUGE;

				for (uint64_t at = first; at + size + PAGE <= start && at < first + (64UL << 30); at += 1UL << 30) {
					void *p;

					if (at <= last_end)
						at = last_end + PAGE;
					p = mmap((void *)at, size, PROT_READ | PROT_WRITE | PROT_EXEC,
						 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
					if (p == (void *)at)
						return p;
					if (p != MAP_FAILED)
						munmap(p, size);
				}
			}
			if (i < mm->n_vmas)
				last_end = mm->vmas[i]->end;
		}
	}
	err_set(ENOMEM, "no hole of %" PRIu64 " bytes between the mappings for the restorer", size);
	return NULL;
}

static int map_error(const struct restore_vma *vma)
{
	const VmaEntry *e = vma->entry;

	if (e->flags & MAP_HUGETLB)
		return err_errno("cannot map 0x%" PRIx64 "-0x%" PRIx64 " of huge pages (there must be enough of them: /proc/sys/vm/nr_hugepages)", e->start,
				 e->end);
	return err_errno("cannot map 0x%" PRIx64 "-0x%" PRIx64 "%s%s", e->start, e->end, vma->file && vma->file->entry->reg ? " of " : "",
			 vma->file && vma->file->entry->reg ? vma->file->entry->reg->name : "");
}

/* Maps at the place given with the flags given. Returns 0, or -1 with errno and no error set. */
static int map_at(const struct restore_task *task, const struct restore_vma *vma, uint64_t at, int extra, bool writable)
{
	const VmaEntry *e = vma->entry;
	uint64_t size = e->end - e->start;
	int flags = (e->flags & (MAP_SHARED | MAP_PRIVATE | MAP_GROWSDOWN | MAP_NORESERVE)) | extra;
	int prot = e->prot | (writable ? PROT_READ | PROT_WRITE : 0);
	void *p;

	if (e->status & VMA_AREA_AIORING)
		return aio_map(task, e, at, extra == MAP_FIXED);
	if (e->status & VMA_AREA_SYSVIPC)
		return sysvshm_attach(e->shmid, e->pgoff, size, at, prot, (e->has_fdflags ? SHM_RDONLY : 0) | (extra == MAP_FIXED ? SHM_REMAP : 0));
	if (vma->shmem) {
		p = mmap((void *)at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | extra, -1, 0);
		if (p == (void *)at)
			/* Size 0: the pages are mapped once more, mremap(2). */
			p = mremap(vma->shmem->at + e->pgoff, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, p);
	} else if (vma->file) {
		p = mmap((void *)at, size, prot, flags, vma->file->slot, e->pgoff);
	} else {
		p = mmap((void *)at, size, prot, flags | MAP_ANONYMOUS | (e->flags & MAP_HUGETLB ? e->flags & (MAP_HUGETLB | HUGE_MASK) : 0), -1, 0);
	}
	if (p == MAP_FAILED)
		return -1;
	if (p != (void *)at) {
		munmap(p, size);
		errno = EEXIST;
		return -1;
	}
	return 0;
}

int vmas_map(struct restore *restore, struct restore_task *task, bool only_wanted)
{
	uint64_t waiting = 0, hole = 0;

	for (size_t i = 0; i < task->vma_count; i++) {
		struct restore_vma *vma = &task->vmas[i];

		if (vma->at || (only_wanted && !vma->wanted))
			continue;
		if (vma->shmem)
			vma->shmem = &restore->shmems[(size_t)vma->shmem - 1];
		/* `at` 0 is no place: what belongs there is moved there at the end. */
		if (vma->entry->start && map_at(task, vma, vma->entry->start, MAP_FIXED_NOREPLACE, vma->has_pages) == 0) {
			vma->at = vma->entry->start;
		} else if (!vma->entry->start || errno == EEXIST) {
			waiting += vma->entry->end - vma->entry->start + HUGE;
		} else {
			return map_error(vma);
		}
	}
	if (!waiting)
		return 0;
	hole = (uint64_t)vmas_reserve_hole(task, waiting + HUGE);
	if (!hole)
		return -1;
	for (size_t i = 0; i < task->vma_count; i++) {
		struct restore_vma *vma = &task->vmas[i];

		if (vma->at || (only_wanted && !vma->wanted))
			continue;
		/* The same place within 2 MiB: page tables are moved whole then. */
		hole = hole / HUGE * HUGE + HUGE + vma->entry->start % HUGE;
		if (map_at(task, vma, hole, MAP_FIXED, vma->has_pages) < 0)
			return map_error(vma);
		vma->at = hole;
		hole += vma->entry->end - vma->entry->start;
		if (hole % HUGE == 0)
			hole -= PAGE;
	}
	return 0;
}

struct cursor {
	struct restore_task *task;
	size_t vma;
};

/* The end of what is read in one go from address on in the mapping, and whether it is read now. */
static bool is_due(const struct restore_vma *v, uint64_t address, uint64_t *end)
{
	*end = v->entry->end;
	if (!v->at || v->loaded)
		return false;
	/* Compared with the parent's pages instead */
	if (v->from && address < v->from->entry->end) {
		if (*end > v->from->entry->end)
			*end = v->from->entry->end;
		return false;
	}
	return true;
}

static void *find_place(void *arg, uint64_t address, uint64_t *size)
{
	struct cursor *c = arg;
	const struct restore_task *task = c->task;
	uint64_t left, end;
	bool due;

	/* Addresses come ascending. */
	while (c->vma < task->vma_count && task->vmas[c->vma].entry->end <= address)
		c->vma++;
	if (c->vma == task->vma_count)
		return NULL;
	if (task->vmas[c->vma].entry->start > address) {
		/* The kernel's own pages */
		left = task->vmas[c->vma].entry->start - address;
		if (*size > left)
			*size = left;
		return NULL;
	}
	due = is_due(&task->vmas[c->vma], address, &end);
	left = end - address;
	if (*size > left)
		*size = left;
	if (!due)
		return NULL;
	return (char *)task->vmas[c->vma].at + (address - task->vmas[c->vma].entry->start);
}

/* Returns 0 or -1 with errno and no error set. */
static int advise(const struct restore_vma *vma, bool pages)
{
	const VmaEntry *e = vma->entry;

	for (size_t i = 0; i < ARRAY_LEN(advices); i++) {
		/* Before there are pages: what says how large they are. */
		if ((advices[i] == MADV_HUGEPAGE || advices[i] == MADV_NOHUGEPAGE) != pages)
			continue;
		if (e->has_madv && e->madv >> advices[i] & 1 && madvise((void *)vma->at, e->end - e->start, advices[i]) < 0)
			return -1;
	}
	return 0;
}

static int finish(const struct restore_vma *vma)
{
	const VmaEntry *e = vma->entry;
	uint64_t size = e->end - e->start;
	bool on_fault = !(e->prot & PROT_READ) || vma->lazy || (e->has_pcr_lock_on_fault && e->pcr_lock_on_fault);

	if (e->status & VMA_AREA_AIORING)
		return aio_finish(e, vma->at);
	if ((vma->shmem || vma->has_pages || e->status & VMA_AREA_SYSVIPC) && e->prot != (PROT_READ | PROT_WRITE) && mprotect((void *)vma->at, size, e->prot) < 0)
		return err_errno("cannot protect 0x%" PRIx64 "-0x%" PRIx64, e->start, e->end);
	if (advise(vma, false) < 0)
		return err_errno("cannot give the advice 0x%" PRIx64 " for 0x%" PRIx64 "-0x%" PRIx64, e->madv, e->start, e->end);
	for (size_t i = 0; i < e->n_pcr_guard; i += 2)
		if (madvise((void *)(vma->at + (e->pcr_guard[i] - e->start)), e->pcr_guard[i + 1] - e->pcr_guard[i], MADV_GUARD_INSTALL) < 0)
			return err_errno("cannot make the guard region at 0x%" PRIx64, e->pcr_guard[i]);
	if (e->flags & MAP_LOCKED && mlock2((void *)vma->at, size, on_fault ? MLOCK_ONFAULT : 0) < 0)
		return err_errno("cannot lock 0x%" PRIx64 "-0x%" PRIx64 " in memory", e->start, e->end);
	return 0;
}

int vmas_load(struct restore *restore, struct restore_task *task)
{
	struct cursor cursor = { .task = task };
	bool any = false;

	for (size_t i = 0; i < task->vma_count; i++) {
		const struct restore_vma *v = &task->vmas[i];

		if (!v->at || v->loaded)
			continue;
		any = true;
		if (!v->from && advise(v, true) < 0)
			return err_errno("cannot set the page size advice for 0x%" PRIx64, v->entry->start);
	}
	if (any && page_runs_load(task->pages, restore->dirfd, find_place, &cursor) < 0)
		return -1;
	for (size_t i = 0; i < task->vma_count; i++)
		task->vmas[i].loaded |= task->vmas[i].at != 0;
	return 0;
}

int vmas_set_thp(const struct restore_task *task)
{
	int want = task->mm->has_thp_disabled && task->mm->thp_disabled;

	/* A child is born with what its parent has. */
	if (prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) != want && prctl(PR_SET_THP_DISABLE, want, 0, 0, 0) < 0)
		return err_errno("cannot %s transparent huge pages", want ? "disable" : "enable");
	return 0;
}

int vmas_restore(struct restore *restore, struct restore_task *task)
{
	if (vmas_map(restore, task, false) < 0 || vmas_load(restore, task) < 0)
		return -1;
	if (task->old_vdso && vdso_proxy_patch(restore, task) < 0)
		return -1;
	__atomic_add_fetch(&restore->shared->pages, task->pages->size / PAGE, __ATOMIC_RELAXED);
	for (size_t i = 0; i < task->vma_count; i++)
		if (finish(&task->vmas[i]) < 0)
			return -1;
	return 0;
}
