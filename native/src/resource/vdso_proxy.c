/* SPDX-License-Identifier: MIT */
#include "resource/vdso_proxy.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/syscall.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/vdso.h"
#include "resource/vma_restore.h"
#include "tree/restore_tree.h"

/* x86-64: movabs $address, %rax; jmp *%rax */
#define JUMP_SIZE 12
/* mov $number, %eax; syscall; ret */
#define CALL_SIZE 8

/* The dynamic symbols of a vDSO, all inside its image. */
struct symbols {
	const char *image;
	size_t size;
	uint64_t base; /* address that the image was linked for */
	const Elf64_Sym *table;
	size_t count;
	const char *names;
	size_t names_size;
};

/* size bytes at an address of the image; NULL when it has not all of them. */
static const void *at_address(const struct symbols *s, uint64_t address, uint64_t size)
{
	uint64_t offset = address - s->base;

	return address >= s->base && offset <= s->size && size <= s->size - offset ? s->image + offset : NULL;
}

/* Returns 0, or -1 when it is no vDSO that can be read. */
static int read_symbols(struct symbols *s, const char *image, size_t size)
{
	const Elf64_Ehdr *head = (const void *)image;
	const Elf64_Phdr *segments;
	uint64_t table = 0, names = 0, hash = 0, dynamic_size = 0;
	const Elf64_Dyn *dynamic = NULL;
	const uint32_t *words;

	*s = (struct symbols){ .image = image, .size = size };
	if (size < sizeof(*head) || memcmp(head->e_ident, ELFMAG, SELFMAG) || head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_machine != EM_X86_64)
		return -1;
	if (head->e_phoff > size || head->e_phoff % 8 || head->e_phentsize != sizeof(*segments) ||
	    head->e_phnum > (size - head->e_phoff) / sizeof(*segments))
		return -1;
	segments = (const void *)(image + head->e_phoff);
	for (int i = 0; i < head->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD)
			s->base = segments[i].p_vaddr - segments[i].p_offset;
	for (int i = 0; i < head->e_phnum; i++)
		if (segments[i].p_type == PT_DYNAMIC) {
			dynamic_size = segments[i].p_memsz;
			dynamic = at_address(s, segments[i].p_vaddr, dynamic_size);
		}
	for (size_t i = 0; dynamic && i < dynamic_size / sizeof(*dynamic) && dynamic[i].d_tag != DT_NULL; i++) {
		if (dynamic[i].d_tag == DT_SYMTAB)
			table = dynamic[i].d_un.d_ptr;
		else if (dynamic[i].d_tag == DT_STRTAB)
			names = dynamic[i].d_un.d_ptr;
		else if (dynamic[i].d_tag == DT_STRSZ)
			s->names_size = dynamic[i].d_un.d_val;
		else if (dynamic[i].d_tag == DT_HASH)
			hash = dynamic[i].d_un.d_ptr;
	}
	words = hash ? at_address(s, hash, 8) : NULL;
	/* Without the table that counts them: linkers put the names right behind the symbols. */
	s->count = words ? words[1] : names > table ? (names - table) / sizeof(*s->table) : 0;
	if (!table || !names || s->count > size / sizeof(*s->table))
		return -1;
	s->table = at_address(s, table, s->count * sizeof(*s->table));
	s->names = at_address(s, names, s->names_size);
	return s->table && s->names && s->names_size && !s->names[s->names_size - 1] ? 0 : -1;
}

/* Offset of the function in the image and its name; NULL when the symbol is none. */
static const char *function(const struct symbols *s, size_t i, uint64_t *offset)
{
	const Elf64_Sym *symbol = &s->table[i];

	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF || symbol->st_name >= s->names_size ||
	    !at_address(s, symbol->st_value, JUMP_SIZE))
		return NULL;
	*offset = symbol->st_value - s->base;
	return s->names + symbol->st_name;
}

static int find(const struct symbols *s, const char *name, uint64_t *offset)
{
	for (size_t i = 0; i < s->count; i++) {
		const char *have = function(s, i, offset);

		if (have && !strcmp(have, name))
			return 0;
	}
	return -1;
}

/* Bytes from offset to the next function. */
static uint64_t room_at(const struct symbols *s, uint64_t offset)
{
	uint64_t room = s->size - offset, other;

	for (size_t i = 0; i < s->count; i++)
		if (function(s, i, &other) && other > offset && other - offset < room)
			room = other - offset;
	return room;
}

/* -1: what it does takes no data of the kernel's. */
static int system_call_of(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} calls[] = {
		{ "__vdso_clock_gettime", SYS_clock_gettime }, { "__vdso_clock_getres", SYS_clock_getres },
		{ "__vdso_gettimeofday", SYS_gettimeofday },   { "__vdso_time", SYS_time },
		{ "__vdso_getcpu", SYS_getcpu },	       { "__vdso_getrandom", SYS_getrandom },
	};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (!strcmp(name, calls[i].name))
			return calls[i].number;
	return -1;
}

int vdso_proxy_check(const struct restore_task *task, const char *image, size_t size)
{
	uint64_t start = task->vdso_start, offset;
	struct symbols s;

	if (read_symbols(&s, image, size) < 0)
		return err_set(ENOTSUP, "pid %d was dumped on another kernel, and its vDSO has no table of functions that can be read", task->pid);
	if (find(&s, "__vdso_clock_gettime", &offset) < 0)
		return err_set(ENOTSUP, "pid %d was dumped on another kernel, whose vDSO has no function of a known name", task->pid);
	for (size_t i = 0; i < task->thread_count; i++) {
		uint64_t ip = task->threads[i].core->thread_info->gpregs->ip;

		if (ip >= start && ip < start + size)
			return err_set(ENOTSUP, "thread %d stood inside the vDSO of the kernel that it was dumped on, which differs from this one's: "
				       "it cannot go on here", task->threads[i].tid);
	}
	return 0;
}

/* Where this kernel's vDSO, size bytes with its data, is out of the way of all that the task has. 0 with the error set. */
static uint64_t find_place(const struct restore_task *task)
{
	const struct vdso_place *own = vdso_own();
	uint64_t start = own->pieces[0], end = own->vdso_end;

	for (size_t i = 0; i < task->mm->n_vmas; i++)
		if (task->mm->vmas[i]->start < end && task->mm->vmas[i]->end > start)
			return (uint64_t)vmas_reserve_hole(task, end - start);
	return start;
}

int vdso_proxy_patch(struct restore *restore, struct restore_task *task)
{
	const struct vdso_place *own = vdso_own();
	const struct restore_vma *old = task->old_vdso;
	char *code = (char *)old->at;
	uint64_t size = old->entry->end - old->entry->start, place = find_place(task), offset, target;
	struct symbols from, to;
	size_t redirected = 0;

	if (!place)
		return -1;
	task->vdso_start = place + (own->vdso_start - own->pieces[0]);
	task->vvar_start = own->vvar_start ? place + (own->vvar_start - own->pieces[0]) : 0;
	/* A copy to read from while the code changes */
	auto_free char *image = xzalloc(size);
	memcpy(image, code, size);
	if (read_symbols(&from, image, size) < 0 || read_symbols(&to, (char *)own->vdso_start, own->vdso_end - own->vdso_start) < 0)
		return err_set(ENOTSUP, "the functions of this kernel's vDSO, or of the old one's, cannot be read");
	for (size_t i = 0; i < from.count; i++) {
		const char *name = function(&from, i, &offset);
		int number = name ? system_call_of(name) : -1;

		if (number < 0)
			continue;
		if (find(&to, name, &target) == 0 && room_at(&from, offset) >= JUMP_SIZE) {
			target += task->vdso_start;
			memcpy(code + offset, "\x48\xb8", 2);
			memcpy(code + offset + 2, &target, 8);
			memcpy(code + offset + 10, "\xff\xe0", 2);
		} else if (room_at(&from, offset) >= CALL_SIZE) {
			code[offset] = (char)0xb8;
			memcpy(code + offset + 1, &number, 4);
			memcpy(code + offset + 5, "\x0f\x05\xc3", 3);
		} else {
			return err_set(ENOTSUP, "the old vDSO's function %s is too short to be redirected", name);
		}
		redirected++;
	}
	pr_debug("vDSO of another kernel at 0x%" PRIx64 ": %zu functions lead to this kernel's at 0x%" PRIx64, old->entry->start, redirected,
		 task->vdso_start);
	return 0;
}
