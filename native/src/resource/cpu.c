/* SPDX-License-Identifier: MIT */
#include "resource/cpu.h"

#include <asm/ldt.h>
#include <cpuid.h>
#include <errno.h>
#include <inttypes.h>
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

/* A hypervisor traps cpuid, microseconds each: asked once. */
void xsave_layout(int feature, unsigned int *offset, unsigned int *size)
{
	static struct {
		bool known;
		unsigned int offset, size;
	} features[32];
	unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;

	if (!features[feature].known) {
		features[feature].known = true;
		__cpuid_count(0xd, 0, eax, ebx, ecx, edx);
		if (eax & 1u << feature) {
			__cpuid_count(0xd, feature, eax, ebx, ecx, edx);
			features[feature].size = eax;
			features[feature].offset = ebx;
		}
	}
	*offset = features[feature].offset;
	*size = features[feature].size;
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

/* --- restore --- */

#define CS_64BIT 0x33
#define SS_64BIT 0x2b
#define XSTATE_LEGACY 3u /* x87 and SSE: in the FXSAVE part */

static const struct component {
	const char *name;
	int feature;
	size_t least, most; /* bytes in the images */
} components[] = {
	{ "avx", XFEATURE_YMM, 256, 256 },		      { "mpx bound registers", XFEATURE_BNDREGS, 64, 64 },
	{ "mpx bound configuration", XFEATURE_BNDCSR, 16, 64 }, { "avx512 masks", XFEATURE_OPMASK, 64, 64 },
	{ "avx512 upper halves", XFEATURE_ZMM_HI256, 512, 512 }, { "avx512 registers 16-31", XFEATURE_HI16_ZMM, 1024, 1024 },
	{ "protection keys", XFEATURE_PKRU, 4, 8 },
};

/* The component's bytes in the entry; *size is what there is of them. */
static const void *component_data(const UserX86XsaveEntry *x, int feature, size_t *size)
{
#define FIELD(number, field)                            \
	case number:                                    \
		*size = x->n_##field * sizeof(*x->field); \
		return x->field

	switch (feature) {
		FIELD(XFEATURE_YMM, ymmh_space);
		FIELD(XFEATURE_BNDREGS, bndreg_state);
		FIELD(XFEATURE_BNDCSR, bndcsr_state);
		FIELD(XFEATURE_OPMASK, opmask_reg);
		FIELD(XFEATURE_ZMM_HI256, zmm_upper);
		FIELD(XFEATURE_HI16_ZMM, hi16_zmm);
		FIELD(XFEATURE_PKRU, pkru);
	}
#undef FIELD
	*size = 0;
	return NULL;
}

/* What the system has enabled, not what the processor could do. */
static uint64_t enabled_features(void)
{
	static uint64_t features;
	static bool known;
	unsigned int a = 0, b = 0, c = 0, d = 0;

	if (known)
		return features;
	known = true;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	features = a | (uint64_t)d << 32;
	return features;
}

size_t xsave_size(void)
{
	static size_t size;
	unsigned int a = 0, b = 0, c = 0, d = 0;

	if (!size)
		size = enabled_features() && __get_cpuid_count(0xd, 0, &a, &b, &c, &d) ? b : XSAVE_HEADER;
	return size;
}

int cpu_check(pid_t pid, pid_t tid, const ThreadInfoX86 *info)
{
	const UserX86RegsEntry *g = info->gpregs;
	const UserX86FpregsEntry *f = info->fpregs;
	uint64_t have = enabled_features(), known = XSTATE_LEGACY;
	char missing[256] = "";

	if ((g->has_mode && g->mode != USER_X86_REGS_MODE__NATIVE) || g->cs != CS_64BIT)
		return err_set(ENOTSUP, "pid %d: thread %d ran 32-bit code; only x86-64 processes can be restored", pid, tid);
	if (g->ss != SS_64BIT && g->ss != 0)
		return err_set(EINVAL, "core-%d.img: stack segment 0x%" PRIx64, tid, g->ss);
	if (f->n_st_space != 32 || f->n_xmm_space != 64)
		return err_set(EINVAL, "core-%d.img: %zu words of x87 and %zu of SSE registers where 32 and 64 belong", tid, f->n_st_space,
			       f->n_xmm_space);
	if (!f->xsave)
		return 0;
	if (f->xsave->cet && f->xsave->cet->cet)
		return err_set(ENOTSUP, "pid %d: thread %d uses a shadow stack (CET), which cannot be restored yet", pid, tid);
	for (size_t i = 0; i < ARRAY_LEN(components); i++) {
		const struct component *c = &components[i];
		size_t size;

		known |= 1ULL << c->feature;
		if (!(f->xsave->xstate_bv >> c->feature & 1))
			continue;
		if (!(have >> c->feature & 1)) {
			snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), "%s%s", *missing ? ", " : "", c->name);
			continue;
		}
		component_data(f->xsave, c->feature, &size);
		if (size < c->least || size > c->most)
			return err_set(EINVAL, "core-%d.img: %zu bytes of %s where %zu belong", tid, size, c->name, c->most);
	}
	if (*missing)
		return err_set(ENOTSUP, "pid %d: thread %d used processor features that this machine lacks: %s", pid, tid, missing);
	if (f->xsave->xstate_bv & ~known)
		return err_set(ENOTSUP, "pid %d: thread %d used processor features that pcr does not know (xstate_bv 0x%" PRIx64 ")", pid, tid,
			       f->xsave->xstate_bv & ~known);
	return 0;
}

void cpu_build_xsave(void *area, const ThreadInfoX86 *info)
{
	const UserX86FpregsEntry *f = info->fpregs;
	struct user_fpregs_struct *legacy = area;
	uint64_t in_use = f->xsave ? f->xsave->xstate_bv : XSTATE_LEGACY;

	legacy->cwd = f->cwd;
	legacy->swd = f->swd;
	legacy->ftw = f->twd;
	legacy->fop = f->fop;
	legacy->rip = f->rip;
	legacy->rdp = f->rdp;
	legacy->mxcsr = f->mxcsr;
	legacy->mxcr_mask = f->mxcsr_mask;
	memcpy(legacy->st_space, f->st_space, sizeof(legacy->st_space));
	memcpy(legacy->xmm_space, f->xmm_space, sizeof(legacy->xmm_space));
	if (xsave_size() <= XSAVE_HEADER)
		return;
	memcpy((char *)area + XSAVE_HEADER, &in_use, sizeof(in_use));
	for (size_t i = 0; i < ARRAY_LEN(components) && f->xsave; i++) {
		unsigned int offset, there;
		const void *data;
		size_t size;

		if (!(in_use >> components[i].feature & 1))
			continue;
		data = component_data(f->xsave, components[i].feature, &size);
		xsave_layout(components[i].feature, &offset, &there);
		memcpy((char *)area + offset, data, size < there ? size : there);
	}
}

void cpu_build_regs(struct user_regs_struct *r, const ThreadInfoX86 *info)
{
	const UserX86RegsEntry *g = info->gpregs;

	r->r15 = g->r15, r->r14 = g->r14, r->r13 = g->r13, r->r12 = g->r12, r->rbp = g->bp, r->rbx = g->bx;
	r->r11 = g->r11, r->r10 = g->r10, r->r9 = g->r9, r->r8 = g->r8, r->rax = g->ax, r->rcx = g->cx;
	r->rdx = g->dx, r->rsi = g->si, r->rdi = g->di, r->rip = g->ip, r->eflags = g->flags, r->rsp = g->sp;
	r->fs_base = g->fs_base, r->gs_base = g->gs_base;
	r->ds = g->ds, r->es = g->es, r->fs = g->fs, r->gs = g->gs;
	r->cs = CS_64BIT;
	r->ss = SS_64BIT;
	/* No system call is under way: the kernel must not restart what the restorer was in. */
	r->orig_rax = -1;
}
