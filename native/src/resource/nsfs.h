/* SPDX-License-Identifier: MIT
 *
 * Descriptors of namespaces: /proc/PID/ns/ (namespaces(7)).
 */
#ifndef PCR_RESOURCE_NSFS_H
#define PCR_RESOURCE_NSFS_H

#include "resource/fd_kind.h"

extern const struct fd_kind nsfs_kind;

#endif
