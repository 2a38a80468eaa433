/* SPDX-License-Identifier: MIT
 *
 * Packet sockets: packet(7).
 */
#ifndef PCR_RESOURCE_PACKETSK_H
#define PCR_RESOURCE_PACKETSK_H

#include "resource/fd_kind.h"

extern const struct fd_kind packetsk_kind;

#endif
