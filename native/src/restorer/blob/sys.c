/* SPDX-License-Identifier: MIT */
#include "sys.h"

#include <linux/futex.h>
#include <sys/syscall.h>

void *memcpy(void *to, const void *from, size_t size)
{
	void *result = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	return result;
}

void *memset(void *to, int c, size_t size)
{
	void *result = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(c) : "memory");
	return result;
}

uint32_t futex_add(uint32_t *word)
{
	uint32_t value = __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);

	sys6(SYS_futex, (uint64_t)word, FUTEX_WAKE, 0x7fffffff, 0, 0, 0);
	return value;
}

void futex_wait(uint32_t *word, uint32_t value)
{
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value)
		sys6(SYS_futex, (uint64_t)word, FUTEX_WAIT, value, 0, 0, 0);
}

static char *put(char *at, char *end, const char *text)
{
	while (*text && at < end)
		*at++ = *text++;
	return at;
}

static char *put_number(char *at, char *end, uint64_t value, unsigned int base)
{
	char digits[24];
	int n = 0;

	do {
		unsigned int d = value % base;

		digits[n++] = d < 10 ? '0' + d : 'a' + d - 10;
		value /= base;
	} while (value);
	while (n && at < end)
		*at++ = digits[--n];
	return at;
}

void fail(struct restorer_args *args, int tid, const char *what, uint64_t value, long code)
{
	struct restorer_shared *shared = (struct restorer_shared *)args->shared;

	if (__atomic_exchange_n(&shared->error_owner, 1, __ATOMIC_SEQ_CST) == 0) {
		char *at = shared->error_text, *end = at + sizeof(shared->error_text) - 1;

		shared->error_pid = args->pid;
		shared->error_code = -code;
		if (tid && tid != args->pid) {
			at = put(at, end, "thread ");
			at = put_number(at, end, tid, 10);
			at = put(at, end, ": ");
		}
		at = put(at, end, what);
		if (value) {
			at = put(at, end, " 0x");
			at = put_number(at, end, value, 16);
		}
		*at = 0;
		__atomic_store_n(&shared->error_ready, 1, __ATOMIC_SEQ_CST);
		futex_add(&shared->event);
	}
	/* The coordinator kills us; by ourselves we could take its message for a death without one. */
	for (;;)
		sys6(SYS_futex, (uint64_t)&shared->never, FUTEX_WAIT, 0, 0, 0, 0);
}
