/* SPDX-License-Identifier: MIT
 *
 * The table of kinds of descriptors. A new kind: one line here.
 */
#include "resource/fd_kind.h"

#include <stddef.h>

#include "common/util.h"
#include "resource/eventfd.h"
#include "resource/eventpoll.h"
#include "resource/fanotify.h"
#include "resource/inotify.h"
#include "resource/fifo.h"
#include "resource/filelock.h"
#include "resource/inetsk.h"
#include "resource/memfd.h"
#include "resource/nsfs.h"
#include "resource/pidfd.h"
#include "resource/netlinksk.h"
#include "resource/packetsk.h"
#include "resource/pipe.h"
#include "resource/regfile.h"
#include "resource/signalfd.h"
#include "resource/sysvshm.h"
#include "resource/timerfd.h"
#include "resource/tty.h"
#include "resource/unixsk.h"

static const struct fd_kind *const kinds[] = {
	&unixsk_kind, /* first: what is in flight is of other kinds, whose dump_end comes later */
	&eventfd_kind,
	&eventpoll_kind,
	&signalfd_kind,
	&timerfd_kind,
	&memfd_kind,
	&inetsk_kind,
	&netlinksk_kind,
	&packetsk_kind,
	&pipe_kind,
	&fifo_kind,
	&pidfd_kind,
	&inotify_kind,
	&fanotify_kind,
	&nsfs_kind,
	&tty_kind,
	&regfile_kind,
};

const struct fd_kind *fd_kind_recognise(const struct fd_info *info)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i]->recognise && kinds[i]->recognise(info))
			return kinds[i];
	return NULL;
}

const struct fd_kind *fd_kind_of_type(FdTypes type)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i]->type == type)
			return kinds[i];
	return NULL;
}

int fd_kinds_dump_end(struct dump *dump)
{
	int result = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i]->dump_end && kinds[i]->dump_end(dump) < 0)
			result = -1;
	if (filelock_dump_end() < 0 || sysvshm_dump_end() < 0)
		result = -1;
	return result;
}

void fd_kinds_forget(void)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i]->forget)
			kinds[i]->forget();
	filelock_dump_end();
	sysvshm_dump_end();
}
