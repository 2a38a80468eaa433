/* SPDX-License-Identifier: MIT
 *
 * What a restore tells the lazy-pages daemon, as two real CRIU 4.1 do it (seen with strace): a stream socket of this name in the work
 * directory, one connection for all tasks. Each task with lazy memory sends its pid, as the images have it, 4 bytes little-endian, and
 * then one byte with its userfaultfd (SCM_RIGHTS). When the tree is about to run the restore sends LAZY_RESTORED; the daemon then
 * fills in what nobody has asked for. A connection that ends before was a restore that failed.
 */
#ifndef PCR_LAZY_WIRE_H
#define PCR_LAZY_WIRE_H

#include <linux/userfaultfd.h>

#define LAZY_SOCKET "lazy-pages.socket"
#define LAZY_RESTORED 0x52535446u /* in the place of a pid */

/* What a task does with its memory is told to the daemon. UFFD_FEATURE_EVENT_FORK takes CAP_SYS_PTRACE, userfaultfd(2). */
#define LAZY_FEATURES (UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP)

#endif
