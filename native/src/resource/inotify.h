/* SPDX-License-Identifier: MIT
 *
 * Watches of files: inotify(7).
 */
#ifndef PCR_RESOURCE_INOTIFY_H
#define PCR_RESOURCE_INOTIFY_H

#include "resource/fd_kind.h"

extern const struct fd_kind inotify_kind;

#endif
