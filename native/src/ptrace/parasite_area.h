/* SPDX-License-Identifier: MIT
 *
 * The way into a stopped task: code in the padding behind an executable mapping's end, by which its first thread maps an area for the
 * parasite and unmaps it again, also when pcr is dead by then. Used by ptrace/parasite.c alone.
 */
#ifndef PCR_PTRACE_PARASITE_AREA_H
#define PCR_PTRACE_PARASITE_AREA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "common/util.h"
#include "parasite_blob.h"
#include "ptrace/parasite.h"
#include "tree/task.h"

/* The area in the task: code, arguments, the stack with the signal frame at its end, and what a copy works with. */
#define AREA_SIZE (40 * 1024UL)
#define ARGS_OFFSET ROUND_UP(sizeof(parasite_blob), 4096UL)
#define FRAME_ROOM (16 * 1024UL)
#define FRAME_OFFSET (AREA_SIZE - PARASITE_COPY_ROOM - FRAME_ROOM)
#define COPY_OFFSET (AREA_SIZE - PARASITE_COPY_ROOM)
/* Behind the parasite's own stack, the one of what makes a copy (parasite/copy.c). */
#define MAKER_STACK (FRAME_OFFSET - 3072)
_Static_assert(ARGS_OFFSET + sizeof(struct parasite_args) + 2048 <= MAKER_STACK, "room for the stacks");

/* Code in the padding: mmap of the area, its unmapping again, then the thread's mask and registers, then back to where it was. No flags
 * change, no stack. Entered at map_call or at unmap_call with the registers of that system call. */
struct trampoline {
	uint8_t map_call[2], to_rdi[3], area_size[5], unmap_nr[5]; /* syscall, then munmap(what it returned, AREA_SIZE) */
	uint8_t unmap_call[2];
	uint8_t mask_nr[5], mask_how[5], mask_set[7], mask_old[5], mask_size[6], mask_call[2]; /* rt_sigprocmask(SIG_SETMASK, &mask, NULL, 8) */
	struct {
		uint8_t opcode[2];
		uint64_t value;
	} __attribute__((packed)) load[9]; /* mov $value, %reg */
	uint8_t jump[6]; /* jmp *target(%rip) */
	uint64_t mask, target;
} __attribute__((packed));

struct parasite {
	struct task *task;
	uint64_t pad; /* address of the padding */
	uint64_t area; /* address of the mapped area, 0 while there is none */
	int marker; /* signal that ends a run, 0: follow the system calls */
	int taken; /* descriptor of the task's that pcr has now */
	bool shared; /* the area's arguments and stack are shared with whatever the task forks */
	bool stop_again; /* a SIGSTOP came while we were inside */
};

/* Writes to, reads from the task's memory. Returns 0 or -1 with the error set. */
int area_poke(struct parasite *p, uint64_t address, const void *data, size_t size);
int area_peek(struct parasite *p, uint64_t address, void *data, size_t size);

/* Finds room for two trampolines: p->pad. The vDSO first: no file's page is copied then. Else any private executable mapping with
 * room at its end. Returns 0 or -1 with the error set. */
int area_find_padding(struct parasite *p);

/* Fills in *t so that after its system call the thread stands as regs and mask say. */
void area_make_trampoline(struct trampoline *t, const struct user_regs_struct *regs, uint64_t mask);

/* Waits for the thread's next stop. Returns the stop's wait status, -1 with the error set when the thread is gone. */
int area_next_stop(pid_t tid);

/* Notes a SIGSTOP, which cannot be blocked, in a stop's wait status: it is to be sent again at the end. */
void area_put_off(struct parasite *p, int status);

/* Lets the thread go on by the ptrace(2) request given. Returns 0 or -1 with the error set. */
int area_resume(pid_t tid, int how);

/* While the area is there and nobody runs in it the leader stands in front of its unmapping: a leader that is let go by pcr's death
 * cleans up and goes on. Returns 0 or -1 with the error set. */
int area_park(struct parasite *p);

/* Has the leader map the area, with the parasite's code in it: p->area; needs p->pad. Returns 0 or -1 with the error set; area_unmap is to be
 * called either way. */
int area_map(struct parasite *p);

/* Unmaps the area, if it is there, and gives the leader its registers and the padding its zeros again. Returns 0 or -1 with the error set. */
int area_unmap(struct parasite *p);

#endif
