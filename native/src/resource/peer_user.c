/* SPDX-License-Identifier: MIT */
#include "resource/peer_user.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util.h"

void peer_user_dump(int fd, UnixSkEntry *e)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0 || cred.uid == (uid_t)-1 || cred.gid == (gid_t)-1)
		return;
	e->n_pcr_peer_user = 2;
	e->pcr_peer_user = xzalloc(2 * sizeof(*e->pcr_peer_user));
	e->pcr_peer_user[0] = cred.uid;
	e->pcr_peer_user[1] = cred.gid;
}

/* The group first where the user would not be allowed to change it any more. Another user costs a task its parent death signal and its being
 * dumpable (prctl(2)). */
static void change(uid_t uid, gid_t gid, bool group_first)
{
	int death = 0, dumpable = prctl(PR_GET_DUMPABLE);

	prctl(PR_GET_PDEATHSIG, &death);
	if (group_first)
		syscall(SYS_setresgid, -1, gid, -1);
	syscall(SYS_setresuid, -1, uid, -1);
	if (!group_first)
		syscall(SYS_setresgid, -1, gid, -1);
	prctl(PR_SET_PDEATHSIG, death);
	if (dumpable == 0 || dumpable == 1)
		prctl(PR_SET_DUMPABLE, dumpable);
}

void peer_user_enter(const UnixSkEntry *e, struct peer_user *was)
{
	*was = (struct peer_user){ false, geteuid(), getegid() };
	if (!e || !e->n_pcr_peer_user || (e->pcr_peer_user[0] == was->uid && e->pcr_peer_user[1] == was->gid))
		return;
	was->changed = true;
	change(e->pcr_peer_user[0], e->pcr_peer_user[1], true);
}

void peer_user_leave(const struct peer_user *was)
{
	int error = errno;

	if (was->changed)
		change(was->uid, was->gid, false);
	errno = error;
}
