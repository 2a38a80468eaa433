/* SPDX-License-Identifier: MIT
 *
 * The socket over which a process asked for its own dump. Its other end is a service's, which no image can hold; after a restore a recv
 * on it gets the answer that says so.
 */
#ifndef PCR_RESOURCE_UNIXSK_SERVICE_H
#define PCR_RESOURCE_UNIXSK_SERVICE_H

#include <stdint.h>
#include <sys/types.h>

#include "images/sk-unix.pb-c.h"

/* unix_sk_entry.uflags: such a socket (the value that real CRIU writes). */
#define UNIXSK_SERVICE 2u

/* Inode of the client's end of a connection: of the one whose other end has inode server, or with 0 of the client's only one
 * whose other end belongs to process service. 0 with the error set when there is none or more than one. */
uint32_t unixsk_service_inode(pid_t client, uint32_t server, pid_t service);

/* A connected SOCK_SEQPACKET socket with the response `DUMP, success, restored` (criu-facts, section rpc) in its queue. Returns it or
 * -1 with the error set. */
int unixsk_service_open(const UnixSkEntry *e);

#endif
