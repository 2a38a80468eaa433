/* SPDX-License-Identifier: MIT */
#include "ptrace/parasite_area.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "ptrace/regs.h"
#include "ptrace/seize.h"
#include "resource/vma.h"

int area_poke(struct parasite *p, uint64_t address, const void *data, size_t size)
{
	if (pwrite(p->task->mem_fd, data, size, address) != (ssize_t)size)
		return err_errno("pid %d: cannot write %zu bytes at 0x%" PRIx64, p->task->pid, size, address);
	return 0;
}

int area_peek(struct parasite *p, uint64_t address, void *data, size_t size)
{
	if (pread(p->task->mem_fd, data, size, address) != (ssize_t)size)
		return err_errno("pid %d: cannot read %zu bytes at 0x%" PRIx64, p->task->pid, size, address);
	return 0;
}

/* Bytes at the end of a mapping that nothing uses: zeros behind the code, or what a killed pcr left there. */
static bool is_padding(struct parasite *p, uint64_t address, size_t size)
{
	static const char ours[] = "\x0f\x05\x48\x89\xc7\xbe\0\xa0\0\0\xb8\x0b";
	unsigned char bytes[1024] = { 0 };

	if (pread(p->task->mem_fd, bytes, size, address) != (ssize_t)size)
		return false;
	if (!memcmp(bytes + (ROUND_UP(address, 16UL) - address), ours, sizeof(ours) - 1))
		return true;
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

int area_find_padding(struct parasite *p)
{
	const size_t size = 2 * sizeof(struct trampoline) + 64;

	for (int vdso = 1; vdso >= 0; vdso--)
		for (size_t i = 0; i < p->task->vma_count; i++) {
			const struct vma *v = &p->task->vmas[i];

			if (!(v->prot & PROT_EXEC) || (v->flags & MAP_SHARED) || v->kind == VMA_VSYSCALL ||
			    (v->kind == VMA_VDSO) != vdso)
				continue;
			if (is_padding(p, v->end - size, size)) {
				p->pad = ROUND_UP(v->end - size, 16UL);
				return 0;
			}
		}
	return err_set(ENOTSUP, "pid %d: no executable mapping has %zu bytes of padding to run a system call from", p->task->pid, size);
}

void area_make_trampoline(struct trampoline *t, const struct user_regs_struct *regs, uint64_t mask)
{
	const struct {
		uint8_t opcode[2];
		uint64_t value;
	} loads[9] = {
		{ { 0x48, 0xb8 }, regs->rax }, { { 0x48, 0xb9 }, regs->rcx }, { { 0x48, 0xba }, regs->rdx },
		{ { 0x48, 0xbe }, regs->rsi }, { { 0x48, 0xbf }, regs->rdi }, { { 0x49, 0xb8 }, regs->r8 },
		{ { 0x49, 0xb9 }, regs->r9 },  { { 0x49, 0xba }, regs->r10 }, { { 0x49, 0xbb }, regs->r11 },
	};
	const uint32_t area_size = AREA_SIZE;
	int32_t to_mask = offsetof(struct trampoline, mask) - offsetof(struct trampoline, mask_old);
	int32_t to_target = offsetof(struct trampoline, target) - offsetof(struct trampoline, mask);

	memcpy(t->map_call, "\x0f\x05", 2);
	memcpy(t->to_rdi, "\x48\x89\xc7", 3); /* mov %rax, %rdi */
	memcpy(t->area_size, "\xbe", 1); /* mov $AREA_SIZE, %esi */
	memcpy(t->area_size + 1, &area_size, 4);
	memcpy(t->unmap_nr, "\xb8\x0b\0\0\0", 5); /* mov $11, %eax */
	memcpy(t->unmap_call, "\x0f\x05", 2);
	memcpy(t->mask_nr, "\xb8\x0e\0\0\0", 5); /* mov $14, %eax */
	memcpy(t->mask_how, "\xbf\x02\0\0\0", 5); /* mov $2, %edi */
	memcpy(t->mask_set, "\x48\x8d\x35", 3); /* lea mask(%rip), %rsi */
	memcpy(t->mask_set + 3, &to_mask, 4);
	memcpy(t->mask_old, "\xba\0\0\0\0", 5); /* mov $0, %edx */
	memcpy(t->mask_size, "\x41\xba\x08\0\0\0", 6); /* mov $8, %r10d */
	memcpy(t->mask_call, "\x0f\x05", 2);
	for (int i = 0; i < 9; i++) {
		memcpy(t->load[i].opcode, loads[i].opcode, 2);
		t->load[i].value = loads[i].value;
	}
	memcpy(t->jump, "\xff\x25", 2);
	memcpy(t->jump + 2, &to_target, 4);
	t->mask = mask;
	t->target = regs->rip;
}

int area_next_stop(pid_t tid)
{
	int status;

	while (wait_thread(tid, &status) < 0)
		if (errno != EINTR)
			return err_set(ESRCH, "thread %d was killed while it was being dumped", tid);
	return status;
}

void area_put_off(struct parasite *p, int status)
{
	if (!(status >> 16) && WSTOPSIG(status) == SIGSTOP)
		p->stop_again = true;
}

int area_resume(pid_t tid, int how)
{
	if (ptrace(how, tid, 0, 0) < 0)
		return err_errno("thread %d: cannot be resumed", tid);
	return 0;
}

/* Points the leader at the first trampoline, there to make the given system call next: mmap or munmap. */
static int aim(struct parasite *p, uint64_t nr, const uint64_t args[6])
{
	struct thread *leader = &p->task->threads[0];
	struct user_regs_struct regs = leader->regs;

	regs.rax = nr;
	regs.rdi = args[0], regs.rsi = args[1], regs.rdx = args[2], regs.r10 = args[3], regs.r8 = args[4], regs.r9 = args[5];
	regs.rip = p->pad + (nr == SYS_munmap ? offsetof(struct trampoline, unmap_call) : 0);
	regs.orig_rax = -1;
	if (regs_set(leader->tid, &regs) < 0)
		return -1;
	return sigmask_set(leader->tid, ~0ULL);
}

int area_park(struct parasite *p)
{
	return aim(p, SYS_munmap, (const uint64_t[6]){ p->area, AREA_SIZE });
}

/* Lets the leader make the call that it is aimed at. *result gets the return value; the leader stands behind it, in the trampoline. */
static int remote_syscall(struct parasite *p, uint64_t *result)
{
	struct thread *leader = &p->task->threads[0];
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };
	bool entered = false, left = false;
	int status;

	while (!left) {
		struct __ptrace_syscall_info info = { 0 };

		if (area_resume(leader->tid, PTRACE_SYSCALL) < 0 || (status = area_next_stop(leader->tid)) < 0)
			return -1;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			area_put_off(p, status);
			continue;
		}
		if (ptrace(PTRACE_GET_SYSCALL_INFO, leader->tid, sizeof(info), &info) < 0)
			return err_errno("thread %d: cannot see its system call", leader->tid);
		/* A run that was followed by its system calls ended at the entry of rt_sigreturn, whose exit comes first. */
		left = entered && info.op == PTRACE_SYSCALL_INFO_EXIT;
		entered |= info.op == PTRACE_SYSCALL_INFO_ENTRY;
	}
	if (ptrace(PTRACE_GETREGSET, leader->tid, NT_PRSTATUS, &iov) < 0)
		return err_errno("thread %d: cannot read its registers", leader->tid);
	*result = regs.rax;
	return 0;
}

/* Has the leader map, at address or, for 0, anywhere. Returns 0 or -1 with the error set; *result is what mmap gave back. */
static int remote_mmap(struct parasite *p, uint64_t address, uint64_t size, int prot, int flags, uint64_t *result)
{
	if (aim(p, SYS_mmap, (const uint64_t[6]){ address, size, prot, flags | MAP_ANONYMOUS | (address ? MAP_FIXED : 0), -1, 0 }) < 0)
		return -1;
	return remote_syscall(p, result);
}

/* A task that may not have memory to write and to execute (PR_SET_MDWE), or has no more to write to for itself (RLIMIT_DATA): shared memory
 * for arguments and stack, and the code in front of it. The second mapping is at the area's start, so that the trampoline takes all of it
 * back if pcr dies in between. */
static int map_apart(struct parasite *p, uint64_t *result)
{
	uint64_t code;

	if (remote_mmap(p, 0, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, result) < 0)
		return -1;
	if (*result > -4096UL)
		return 0;
	p->area = *result;
	if (remote_mmap(p, p->area, ARGS_OFFSET, PROT_READ | PROT_EXEC, MAP_PRIVATE, &code) < 0)
		return -1;
	p->shared = true;
	return code == p->area ? 0 : err_set(EFAULT, "pid %d: cannot map code inside it: %s", p->task->pid, strerror(-(int)code));
}

int area_map(struct parasite *p)
{
	struct thread *leader = &p->task->threads[0];
	struct user_regs_struct after = regs_for_image(leader);
	struct trampoline t;
	uint64_t result;

	area_make_trampoline(&t, &after, leader->sigmask);
	if (area_poke(p, p->pad, &t, sizeof(t)) < 0 ||
	    remote_mmap(p, 0, AREA_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, &result) < 0)
		return -1;
	if ((result == (uint64_t)-EACCES || result == (uint64_t)-ENOMEM) && map_apart(p, &result) < 0)
		return -1;
	if (result > -4096UL) {
		regs_write(leader);
		return err_set(-(int)result, "pid %d: cannot map %lu KiB inside it: %s%s", p->task->pid, AREA_SIZE / 1024, strerror(-(int)result),
			       result == (uint64_t)-ENOMEM ? " (its limit on address space has no room left; prlimit --as raises it)" : "");
	}
	p->area = result;
	if (area_park(p) < 0)
		return -1;
	return area_poke(p, p->area, parasite_blob, sizeof(parasite_blob));
}

int area_unmap(struct parasite *p)
{
	static const char zeros[2 * sizeof(struct trampoline) + 16];
	uint64_t result;

	if (p->area && (area_park(p) < 0 || remote_syscall(p, &result) < 0))
		return -1;
	p->area = 0;
	if (regs_write(&p->task->threads[0]) < 0)
		return -1;
	return area_poke(p, p->pad, zeros, sizeof(zeros));
}
