/* SPDX-License-Identifier: MIT
 *
 * Mappings: /proc/PID/smaps to struct vma to vma_entry.
 */
#include "resource/vma.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/memfd.h"
#include "resource/packetsk.h"
#include "resource/pagemap_scan.h"
#include "resource/regfile.h"
#include "resource/sysvshm.h"
#include "tree/dump.h"
#include "tree/task.h"

/* Anonymous memory of huge pages, private or shared */
#define HUGE_NAME "/anon_hugepage (deleted)"

#define MAP_BITS (MAP_SHARED | MAP_PRIVATE)

/* Two letters of "VmFlags:" (proc_pid_smaps(5)) to what recreates them. */
static const struct vm_flag {
	char name[3];
	uint32_t map_flag;
	int advice; /* MADV_, -1 for none */
} vm_flags[] = {
	{ "gd", MAP_GROWSDOWN, -1 },	   { "lo", MAP_LOCKED, -1 },	       { "nr", MAP_NORESERVE, -1 },
	{ "sr", 0, MADV_SEQUENTIAL },	   { "rr", 0, MADV_RANDOM },	       { "dc", 0, MADV_DONTFORK },
	{ "dd", 0, MADV_DONTDUMP },	   { "mg", 0, MADV_MERGEABLE },	       { "hg", 0, MADV_HUGEPAGE },
	{ "nh", 0, MADV_NOHUGEPAGE },	   { "wf", 0, MADV_WIPEONFORK },
};

/* What a dump of the mapping would lose. */
static const struct {
	char name[3];
	const char *what;
} refused_flags[] = {
	{ "pf", "device memory (a raw page frame mapping)" },
	{ "mm", "device memory (mixed map)" },	      { "um", "memory that waits for a userfaultfd (a lazy restore that is not complete yet: wait until its lazy-pages daemon has ended; or one of the program's own)" },
	{ "uw", "userfaultfd write protection" },     { "ui", "userfaultfd minor faults" },
	{ "ss", "a shadow stack" },
	{ "dp", "a droppable mapping (MAP_DROPPABLE)" }, { "sl", "a sealed mapping (mseal)" },
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static int refuse(const struct task *task, const struct vma *v, const char *name, const char *why)
{
	return err_set(ENOTSUP, "pid %d: mapping at 0x%" PRIx64 "-0x%" PRIx64 "%s%s: %s cannot be dumped", task->pid, v->start, v->end,
		       *name ? " of " : "", name, why);
}

/* The header line of a mapping. */
static int parse_header(struct task *task, char *line, struct vma *v, const char **name)
{
	unsigned int major_nr, minor_nr;
	char perms[5];
	int at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &v->start, &v->end, perms, &v->pgoff, &major_nr,
		   &minor_nr, &v->inode, &at) < 7)
		return err_set(EINVAL, "pid %d: /proc shows a mapping that cannot be read: %.80s", task->pid, line);
	v->dev = makedev(major_nr, minor_nr);
	v->prot = (perms[0] == 'r' ? PROT_READ : 0) | (perms[1] == 'w' ? PROT_WRITE : 0) | (perms[2] == 'x' ? PROT_EXEC : 0);
	v->flags = perms[3] == 's' ? MAP_SHARED : MAP_PRIVATE;
	*name = line + at;
	return 0;
}

/* A file of hugetlbfs says by itself of what pages it is. */
static bool is_huge_memory(const struct vma *v, const char *name)
{
	return v->huge && (v->kind != VMA_FILE || !strcmp(name, HUGE_NAME));
}

static int parse_flags(struct task *task, struct vma *v, const char *name, const char *text)
{
	while (*text == ' ')
		text++;
	for (; text[0] && text[1]; text += 3) {
		for (size_t i = 0; i < ARRAY_LEN(vm_flags); i++) {
			if (memcmp(text, vm_flags[i].name, 2))
				continue;
			v->flags |= vm_flags[i].map_flag;
			if (vm_flags[i].advice >= 0)
				v->madvise |= 1ULL << vm_flags[i].advice;
		}
		if (!memcmp(text, "mw", 2))
			v->may_write = true;
		if (!memcmp(text, "lf", 2))
			v->lock_on_fault = true;
		if (!memcmp(text, "ht", 2) && is_huge_memory(v, name))
			v->flags |= MAP_HUGETLB | huge_page_flags(v->huge);
		if (!memcmp(text, "gu", 2))
			v->may_guard = true;
		/* Ours: nobody else can register what is registered with our descriptor, and that is of this very memory (tree/track.h). */
		if (!memcmp(text, "uw", 2) && task->uffd >= 0)
			v->tracked = true;
		for (size_t i = 0; i < ARRAY_LEN(refused_flags) && v->kind != VMA_VVAR && v->kind != VMA_VDSO && v->kind != VMA_SOCKET; i++)
			if (!memcmp(text, refused_flags[i].name, 2) && !(v->tracked && !memcmp(text, "uw", 2)))
				return refuse(task, v, name, refused_flags[i].what);
		if (!text[2])
			break;
	}
	return 0;
}

static int classify(struct dump *dump, struct task *task, struct vma *v, const char *name)
{
	if (!strcmp(name, "[vsyscall]")) {
		v->kind = VMA_VSYSCALL;
	} else if (!strcmp(name, "[vdso]")) {
		v->kind = VMA_VDSO;
	} else if (!strcmp(name, "[vvar]") || !strcmp(name, "[vvar_vclock]")) {
		v->kind = VMA_VVAR;
	} else if (v->inode == 0 && (!*name || *name == '[')) {
		if (*name && strcmp(name, "[heap]") && strcmp(name, "[stack]") && strncmp(name, "[anon:", 6))
			return refuse(task, v, name, "a mapping of the kernel's own");
		v->kind = VMA_ANON;
	} else if (!strncmp(name, "/SYSV", 5) && ends_with(name, " (deleted)")) {
		v->kind = VMA_SYSV;
	} else if (!strncmp(name, "/memfd:", 7)) {
		v->kind = VMA_MEMFD;
	} else if (!strncmp(name, "/[aio]", 6)) {
		v->kind = VMA_AIO;
	} else if (!strncmp(name, "socket:[", 8)) {
		v->kind = VMA_SOCKET;
	} else if (!strncmp(name, "anon_inode:", 11)) {
		return refuse(task, v, name, "an anonymous inode's mapping");
	} else if (!strcmp(name, HUGE_NAME)) {
		v->kind = v->flags & MAP_PRIVATE ? VMA_ANON : VMA_MEMFD;
	} else if (!strcmp(name, "/dev/zero (deleted)")) {
		/* Shared anonymous memory. In the images it is a memfd of that name. */
		v->kind = VMA_MEMFD;
	} else {
		v->kind = VMA_FILE;
	}
	return 0;
}

/* Neighbours of the kernel's data pages are one area in the images. */
static bool joins_vvar(const struct task *task, const struct vma *v)
{
	const struct vma *last = task->vma_count > 1 ? &task->vmas[task->vma_count - 2] : NULL;

	return v->kind == VMA_VVAR && last && last->kind == VMA_VVAR && last->end == v->start;
}

/* What is behind it, once. */
static int dump_backing(struct dump *dump, struct task *task, struct vma *v, const char *name)
{
	switch (v->kind) {
	case VMA_FILE: return regfile_dump_mapping(dump, task, v, name);
	case VMA_MEMFD: return memfd_dump_mapping(dump, task, v, name);
	case VMA_SYSV: return sysvshm_dump(dump, task, v);
	case VMA_SOCKET: packetsk_dump_mapping(task, v); return 0;
	default: return 0;
	}
}

int vma_collect(struct dump *dump, struct task *task)
{
	auto_free char *text = task->smaps ? task->smaps : proc_read(task->live, "smaps", NULL);
	auto_free char *name = NULL;
	struct vma *v = NULL;
	char *line, *next;

	task->smaps = NULL;
	if (!text)
		return err_errno("pid %d: cannot read its mappings (/proc/%d/smaps)", task->pid, task->pid);
	for (line = text; line && *line; line = next) {
		const char *path = "";

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (line[0] >= 'A' && line[0] <= 'Z') {
			if (v && !strncmp(line, "KernelPageSize:", 15) && strtoull(line + 15, NULL, 10) > PAGE / 1024)
				v->huge = strtoull(line + 15, NULL, 10) * 1024;
			if (v && !strncmp(line, "ProtectionKey:", 14))
				v->has_key = strtoul(line + 14, NULL, 10) != 0;
			if (!v || strncmp(line, "VmFlags:", 8))
				continue;
			if (parse_flags(task, v, name, line + 8) < 0)
				return -1;
			if (v->may_guard && pagemap_find_guards(task, v) < 0)
				return -1;
			if (!dump->request->pre_dump && dump_backing(dump, task, v, name) < 0)
				return -1;
			if (joins_vvar(task, v)) {
				v[-1].end = v->end;
				task->vma_count--;
			}
			v = NULL;
			continue;
		}
		v = array_push(&task->vmas, &task->vma_count, &task->vma_room, sizeof(*v));
		if (parse_header(task, line, v, &path) < 0 || classify(dump, task, v, path) < 0)
			return -1;
		free(name);
		name = xstrdup(path);
	}
	return 0;
}

VmaEntry *vma_to_entry(const struct task *task, const struct vma *v)
{
	VmaEntry *e = xzalloc(sizeof(*e));

	vma_entry__init(e);
	e->start = v->start;
	e->end = v->end;
	e->prot = v->prot;
	e->flags = v->flags;
	e->fd = -1;
	e->status = VMA_AREA_REGULAR;
	if (v->madvise) {
		e->has_madv = true;
		e->madv = v->madvise;
	}
	e->has_pcr_lock_on_fault = e->pcr_lock_on_fault = v->lock_on_fault;
	if (v->guard_count) {
		e->pcr_guard = xzalloc(v->guard_count * sizeof(*e->pcr_guard));
		memcpy(e->pcr_guard, v->guards, v->guard_count * sizeof(*e->pcr_guard));
		e->n_pcr_guard = v->guard_count;
	}
	switch (v->kind) {
	case VMA_VSYSCALL:
		e->status = VMA_AREA_VSYSCALL | VMA_ANON_PRIVATE;
		e->flags |= MAP_ANONYMOUS;
		break;
	case VMA_VDSO:
		e->status |= VMA_AREA_VDSO | VMA_ANON_PRIVATE;
		e->flags |= MAP_ANONYMOUS;
		break;
	case VMA_VVAR:
		e->status |= VMA_AREA_VVAR | VMA_ANON_PRIVATE;
		e->flags |= MAP_ANONYMOUS;
		break;
	case VMA_ANON:
		e->status |= VMA_ANON_PRIVATE;
		if (v->start < ROUND_UP(task->inside.brk, PAGE) && v->end > task->start_brk)
			e->status |= VMA_AREA_HEAP;
		e->flags |= MAP_ANONYMOUS;
		break;
	case VMA_AIO:
		e->status = VMA_AREA_AIORING;
		break;
	case VMA_SOCKET:
		e->status |= VMA_AREA_SOCKET;
		e->shmid = v->inode;
		e->pgoff = v->pgoff;
		break;
	case VMA_SYSV:
		e->status |= VMA_ANON_SHARED | VMA_AREA_SYSVIPC;
		e->shmid = v->inode;
		e->pgoff = v->pgoff;
		e->has_fdflags = !v->may_write;
		e->fdflags = O_RDONLY;
		break;
	case VMA_MEMFD:
		e->status |= VMA_AREA_MEMFD;
		/* fall through */
	case VMA_FILE:
		e->status |= v->flags & MAP_SHARED ? VMA_FILE_SHARED : VMA_FILE_PRIVATE;
		e->shmid = v->file_id;
		e->pgoff = v->pgoff;
		e->has_fdflags = true;
		e->fdflags = v->flags & MAP_SHARED && v->may_write ? O_RDWR : O_RDONLY;
		break;
	}
	return e;
}
