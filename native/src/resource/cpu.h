/* SPDX-License-Identifier: MIT
 *
 * Registers in the images: thread_info_x86.
 */
#ifndef PCR_RESOURCE_CPU_H
#define PCR_RESOURCE_CPU_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/user.h>

#include "images/core-x86.pb-c.h"
#include "images/core.pb-c.h"

struct thread;

/* Where the pieces of the xsave area stand in its standard form (Intel SDM vol. 1, 13.4; AMD APM vol. 2, 11.5). */
#define XSAVE_HEADER 512 /* u64 xstate_bv first */
#define XFEATURE_YMM 2
#define XFEATURE_BNDREGS 3
#define XFEATURE_BNDCSR 4
#define XFEATURE_OPMASK 5
#define XFEATURE_ZMM_HI256 6
#define XFEATURE_HI16_ZMM 7
#define XFEATURE_PKRU 9
#define XFEATURE_XTILE_CFG 17
#define XFEATURE_XTILE_DATA 18

/* Offset and size of a feature in the xsave area of this processor (cpuid leaf 0xd). size 0: the processor lacks it. */
void xsave_layout(int feature, unsigned int *offset, unsigned int *size);

/* --- dump --- */

/* The registers of a stopped thread as the image has them. Returns NULL with the error set (AMX state in use, ...). */
ThreadInfoX86 *cpu_dump(const struct thread *thread);

/* --- restore --- */

/* Does this machine have what the thread's registers need? Returns 0 or -1 with the error set, naming the missing features. */
int cpu_check(pid_t pid, pid_t tid, const ThreadInfoX86 *info);

/* Size of this machine's xsave area in bytes. */
size_t xsave_size(void);

/* The whole area (xsave_size bytes, zeroed by the caller) and the general registers as ptrace(2) sets them. */
void cpu_build_xsave(void *area, const ThreadInfoX86 *info);
void cpu_build_regs(struct user_regs_struct *regs, const ThreadInfoX86 *info);

#endif
