/* SPDX-License-Identifier: MIT
 *
 * A TCP packet by hand: the end of a stream that the peer has sent before the dump.
 */
#ifndef PCR_RESOURCE_TCP_PACKET_H
#define PCR_RESOURCE_TCP_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "images/sk-inet.pb-c.h"

/* Lets the connected socket fd receive a FIN with this sequence number, acknowledging ack, as from its peer; nothing leaves the machine.
 * Waits until it has got it. Returns 0 or -1 with the error set; takes CAP_NET_RAW. */
int tcp_packet_fin(const InetSkEntry *entry, int fd, uint32_t seq, uint32_t ack);

/* Whether two entries are the ends of one connection; IPv4 addresses may be in IPv6 form. */
bool tcp_is_other_end(const InetSkEntry *a, const InetSkEntry *b);

#endif
