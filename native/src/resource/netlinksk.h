/* SPDX-License-Identifier: MIT
 *
 * Netlink sockets: netlink(7).
 */
#ifndef PCR_RESOURCE_NETLINKSK_H
#define PCR_RESOURCE_NETLINKSK_H

#include "resource/fd_kind.h"

extern const struct fd_kind netlinksk_kind;

#endif
