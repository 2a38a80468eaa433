/* SPDX-License-Identifier: MIT
 *
 * Watches of files: fanotify(7).
 */
#ifndef PCR_RESOURCE_FANOTIFY_H
#define PCR_RESOURCE_FANOTIFY_H

#include "resource/fd_kind.h"

extern const struct fd_kind fanotify_kind;

#endif
