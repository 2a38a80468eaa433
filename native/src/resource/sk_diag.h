/* SPDX-License-Identifier: MIT
 *
 * Asking the kernel about sockets: sock_diag(7).
 */
#ifndef PCR_RESOURCE_SK_DIAG_H
#define PCR_RESOURCE_SK_DIAG_H

#include <linux/netlink.h>
#include <stddef.h>

/* Sends a SOCK_DIAG_BY_FAMILY dump request of size bytes (linux/unix_diag.h, linux/netlink_diag.h, linux/packet_diag.h) and calls fn with
 * each answer; fn's -1 ends it. Answers tell of this process's network namespace. Returns 0; -1 with the error set. */
int sk_diag_dump(const void *request, size_t size, int (*fn)(const struct nlmsghdr *answer, void *arg), void *arg);

/* The first attribute of that type behind `fixed` bytes of the answer's body, *length its payload; NULL when there is none. */
const void *sk_diag_attribute(const struct nlmsghdr *answer, size_t fixed, int type, size_t *length);

#endif
