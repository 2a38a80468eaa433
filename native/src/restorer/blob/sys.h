/* SPDX-License-Identifier: MIT
 *
 * The blob's own libc: system calls, failing, futexes.
 */
#ifndef PCR_RESTORER_BLOB_SYS_H
#define PCR_RESTORER_BLOB_SYS_H

#include <stddef.h>
#include <stdint.h>

#include "restorer/restorer.h"

/* syscall(2) without errno: the kernel's value, negative errno on failure. */
static inline long sys6(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}
#define sys0(nr) sys6(nr, 0, 0, 0, 0, 0, 0)
#define sys1(nr, a) sys6(nr, (uint64_t)(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b) sys6(nr, (uint64_t)(a), (uint64_t)(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c) sys6(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0, 0)
#define sys4(nr, a, b, c, d) sys6(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), 0, 0)
#define sys5(nr, a, b, c, d, e) sys6(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e), 0)

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int c, size_t size);

/* Hands "what: error number" of this process (tid 0) or thread to the coordinator and ends the process. code: negative errno. */
void fail(struct restorer_args *args, int tid, const char *what, uint64_t value, long code) __attribute__((noreturn));

/* Adds one to a futex word and wakes whoever waits for it. Returns the new value. */
uint32_t futex_add(uint32_t *word);

/* Sleeps until *word is not value. */
void futex_wait(uint32_t *word, uint32_t value);

/* thread.c: everything of a thread but its registers. leader: of the process, too. */
void thread_finish(struct restorer_args *args, struct restorer_thread *thread, int leader);

/* seccomp.c: mode and filters. */
void seccomp_restore(struct restorer_args *args, struct restorer_thread *thread);

/* creds.c */
void creds_restore(struct restorer_args *args, struct restorer_thread *thread);

#endif
