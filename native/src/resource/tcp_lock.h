/* SPDX-License-Identifier: MIT
 *
 * Holding up the packets of a TCP connection while its socket does not exist: without that the kernel would answer them with a reset.
 * The rules are those that real CRIU sets with iptables, so that each can take away what the other has set.
 */
#ifndef PCR_RESOURCE_TCP_LOCK_H
#define PCR_RESOURCE_TCP_LOCK_H

#include <stdbool.h>

#include "images/sk-inet.pb-c.h"

/* The mark of packets that pass. */
#define TCP_LOCK_MARK 0xc114

/* Drops all packets of the connection but the marked ones. Returns 0; -1 with the error set: no iptables. */
int tcp_lock_set(const InetSkEntry *entry);

/* Takes the rules away; those that are not there are no error. */
void tcp_lock_remove(const InetSkEntry *entry);

#endif
