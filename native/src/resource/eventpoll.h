/* SPDX-License-Identifier: MIT
 *
 * epoll(7) instances and what they watch.
 */
#ifndef PCR_RESOURCE_EVENTPOLL_H
#define PCR_RESOURCE_EVENTPOLL_H

#include "resource/fd_kind.h"

extern const struct fd_kind eventpoll_kind;

#endif
