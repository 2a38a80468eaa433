/* SPDX-License-Identifier: MIT */
#include "resource/cpu.h"

#include <asm/ldt.h>
#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "common/err.h"
#include "common/util.h"
#include "ptrace/regs.h"
#include "tree/task.h"

#ifndef PTRACE_GET_THREAD_AREA
#define PTRACE_GET_THREAD_AREA 25
#endif
#define GDT_TLS_FIRST 12 /* arch/x86/include/asm/segment.h, x86-64 */
#define GDT_TLS_COUNT 3

void xsave_layout(int feature, unsigned int *offset, unsigned int *size)
{
	unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;

	__cpuid_count(0xd, 0, eax, ebx, ecx, edx);
	*offset = *size = 0;
	if (!(eax & 1u << feature))
		return;
	__cpuid_count(0xd, feature, eax, ebx, ecx, edx);
	*size = eax;
	*offset = ebx;
}

/* --- dump --- */

static UserX86RegsEntry *dump_general(const struct user_regs_struct *r)
{
	UserX86RegsEntry *e = xzalloc(sizeof(*e));

	user_x86_regs_entry__init(e);
	e->r15 = r->r15, e->r14 = r->r14, e->r13 = r->r13, e->r12 = r->r12, e->bp = r->rbp, e->bx = r->rbx;
	e->r11 = r->r11, e->r10 = r->r10, e->r9 = r->r9, e->r8 = r->r8, e->ax = r->rax, e->cx = r->rcx;
	e->dx = r->rdx, e->si = r->rsi, e->di = r->rdi, e->orig_ax = r->orig_rax, e->ip = r->rip, e->cs = r->cs;
	e->flags = r->eflags, e->sp = r->rsp, e->ss = r->ss, e->fs_base = r->fs_base, e->gs_base = r->gs_base;
	e->ds = r->ds, e->es = r->es, e->fs = r->fs, e->gs = r->gs;
	e->has_mode = true;
	e->mode = USER_X86_REGS_MODE__NATIVE;
	return e;
}

/* Copies count numbers of the given size from an area into a repeated field of that width. */
static void *copy_field(const char *area, size_t offset, size_t size, size_t width, size_t *count)
{
	void *field = xzalloc(size);

	memcpy(field, area + offset, size);
	*count = size / width;
	return field;
}

static void *copy_feature(const char *area, size_t area_size, int feature, size_t size, size_t width, size_t *count)
{
	unsigned int offset, there;

	xsave_layout(feature, &offset, &there);
	if (there < size || offset + size > area_size)
		return NULL;
	return copy_field(area, offset, size, width, count);
}

static UserX86FpregsEntry *dump_extended(const struct thread *thread)
{
	UserX86FpregsEntry *e = xzalloc(sizeof(*e));
	UserX86XsaveEntry *x = xzalloc(sizeof(*x));
	const char *area = thread->xstate;
	size_t size = thread->xstate_size;

	user_x86_fpregs_entry__init(e);
	user_x86_xsave_entry__init(x);
	e->xsave = x;
	/* The FXSAVE area (Intel SDM, FXSAVE, 64-bit form). */
	e->cwd = *(const uint16_t *)(area + 0);
	e->swd = *(const uint16_t *)(area + 2);
	e->twd = *(const uint16_t *)(area + 4);
	e->fop = *(const uint16_t *)(area + 6);
	memcpy(&e->rip, area + 8, 8);
	memcpy(&e->rdp, area + 16, 8);
	memcpy(&e->mxcsr, area + 24, 4);
	memcpy(&e->mxcsr_mask, area + 28, 4);
	e->st_space = copy_field(area, 32, 128, 4, &e->n_st_space);
	e->xmm_space = copy_field(area, 160, 256, 4, &e->n_xmm_space);
	memcpy(&x->xstate_bv, area + XSAVE_HEADER, 8);
	x->ymmh_space = copy_feature(area, size, XFEATURE_YMM, 256, 4, &x->n_ymmh_space);
	x->bndreg_state = copy_feature(area, size, XFEATURE_BNDREGS, 64, 8, &x->n_bndreg_state);
	x->bndcsr_state = copy_feature(area, size, XFEATURE_BNDCSR, 16, 8, &x->n_bndcsr_state);
	x->opmask_reg = copy_feature(area, size, XFEATURE_OPMASK, 64, 8, &x->n_opmask_reg);
	x->zmm_upper = copy_feature(area, size, XFEATURE_ZMM_HI256, 512, 8, &x->n_zmm_upper);
	x->hi16_zmm = copy_feature(area, size, XFEATURE_HI16_ZMM, 1024, 8, &x->n_hi16_zmm);
	x->pkru = copy_feature(area, size, XFEATURE_PKRU, 8, 4, &x->n_pkru);
	return e;
}

/* The three TLS slots of the GDT, set_thread_area(2): empty in 64-bit programs, nearly always. */
static void dump_tls(const struct thread *thread, ThreadInfoX86 *info)
{
	info->tls = xzalloc(GDT_TLS_COUNT * sizeof(*info->tls));
	for (int i = 0; i < GDT_TLS_COUNT; i++) {
		struct user_desc d = { 0 };
		UserDescT *e;

		if (ptrace(PTRACE_GET_THREAD_AREA, thread->tid, GDT_TLS_FIRST + i, &d) < 0)
			continue;
		e = info->tls[info->n_tls++] = xzalloc(sizeof(*e));
		user_desc_t__init(e);
		e->entry_number = d.entry_number;
		e->base_addr = d.base_addr;
		e->limit = d.limit;
		e->seg_32bit = d.seg_32bit;
		e->contents_h = d.contents & 2;
		e->contents_l = d.contents & 1;
		e->read_exec_only = d.read_exec_only;
		e->limit_in_pages = d.limit_in_pages;
		e->seg_not_present = d.seg_not_present;
		e->usable = d.useable;
	}
}

ThreadInfoX86 *cpu_dump(const struct thread *thread)
{
	struct user_regs_struct regs = regs_for_image(thread);
	ThreadInfoX86 *info;
	uint64_t in_use;

	memcpy(&in_use, (const char *)thread->xstate + XSAVE_HEADER, 8);
	if (in_use & (1ULL << XFEATURE_XTILE_CFG | 1ULL << XFEATURE_XTILE_DATA)) {
		err_set(ENOTSUP, "thread %d has AMX tiles in use, which the image format has no place for", thread->tid);
		return NULL;
	}
	info = xzalloc(sizeof(*info));
	thread_info_x86__init(info);
	info->clear_tid_addr = thread->inside.tid_address;
	info->gpregs = dump_general(&regs);
	info->fpregs = dump_extended(thread);
	dump_tls(thread, info);
	return info;
}
