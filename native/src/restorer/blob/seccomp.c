/* SPDX-License-Identifier: MIT
 *
 * seccomp(2) of the calling thread. The coordinator's trace suspends it, so that what follows here is not held back.
 */
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "sys.h"

#define EBUSY 16

void seccomp_restore(struct restorer_args *args, struct restorer_thread *t)
{
	const struct restorer_filter *f = (const void *)t->filters;
	long e;

	if (t->seccomp_mode == SECCOMP_MODE_STRICT) {
		e = sys5(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
		if (e < 0)
			fail(args, t->tid, "cannot enter seccomp's strict mode", 0, e);
	}
	for (uint32_t i = 0; i < t->filter_count; i++, f++) {
		struct sock_fprog prog = { f->instructions, (struct sock_filter *)f->code };

		/* A positive value with TSYNC: that thread has other filters already. */
		e = sys3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, f->flags, &prog);
		if (e)
			fail(args, t->tid, "cannot install its seccomp filter number", i, e < 0 ? e : -EBUSY);
	}
}
