/* SPDX-License-Identifier: MIT
 *
 * Kernel settings.
 */
#ifndef PCR_COMMON_SYSCTL_H
#define PCR_COMMON_SYSCTL_H

/* The number in /proc/sys/NAME ("kernel/yama/ptrace_scope"); -1 where there is no such setting. PCR_SYSCTL_ROOT in the environment takes the
 * place of /proc/sys, for tests: these numbers only explain. */
long sysctl_number(const char *name);

#endif
