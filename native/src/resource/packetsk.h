/* SPDX-License-Identifier: MIT
 *
 * Packet sockets: packet(7).
 */
#ifndef PCR_RESOURCE_PACKETSK_H
#define PCR_RESOURCE_PACKETSK_H

#include <stdint.h>

#include "resource/fd_kind.h"

extern const struct fd_kind packetsk_kind;

struct restore;
struct restore_file;
struct task;
struct vma;

/* Dump: notes a mapping of a socket's rings; the end of the dump refuses it when the tree does not hold the socket. */
void packetsk_dump_mapping(const struct task *task, const struct vma *vma);

/* Restore: the packet socket that had this inode; NULL when the images have none. */
struct restore_file *packetsk_find(struct restore *restore, uint64_t inode);

#endif
