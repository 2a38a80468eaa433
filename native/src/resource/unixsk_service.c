/* SPDX-License-Identifier: MIT */
#include "resource/unixsk_service.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/sk_diag.h"
#include "rpc.pb-c.h"

struct search {
	pid_t client, service;
	uint32_t server_inode; /* 0: any socket of service will do */
	uint32_t found;
	int count;
};

static bool has_socket(pid_t pid, uint32_t inode)
{
	char path[64], want[32], link[64];
	struct dirent *d;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	snprintf(want, sizeof(want), "socket:[%u]", inode);
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "fd/%.20s", d->d_name);
		found = d->d_name[0] != '.' && proc_readlink(pid, path, link, sizeof(link)) > 0 && !strcmp(link, want);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int look(const struct nlmsghdr *answer, void *arg)
{
	const struct unix_diag_msg *m = NLMSG_DATA(answer);
	struct search *s = arg;
	size_t length;
	const uint32_t *peer = sk_diag_attribute(answer, sizeof(*m), UNIX_DIAG_PEER, &length);

	if (m->udiag_type != SOCK_SEQPACKET || !peer || length < sizeof(*peer) || !*peer)
		return 0;
	if (s->server_inode ? *peer != s->server_inode : !has_socket(s->service, *peer))
		return 0;
	if (!has_socket(s->client, m->udiag_ino))
		return 0;
	s->found = m->udiag_ino;
	s->count++;
	return 0;
}

uint32_t unixsk_service_inode(pid_t client, uint32_t server, pid_t service)
{
	struct unix_diag_req request = { .sdiag_family = AF_UNIX, .udiag_states = ~0U, .udiag_show = UDIAG_SHOW_PEER };
	struct search s = { .client = client, .service = service, .server_inode = server };

	if (sk_diag_dump(&request, sizeof(request), look, &s) < 0)
		return 0;
	if (s.count != 1) {
		err_set(ENOTSUP, "process %d asks for its own dump, but has %s connection to the service", client,
			s.count ? "more than one" : "no SOCK_SEQPACKET");
		return 0;
	}
	return s.found;
}

int unixsk_service_open(const UnixSkEntry *e)
{
	CriuDumpResp dump = CRIU_DUMP_RESP__INIT;
	CriuResp resp = CRIU_RESP__INIT;
	uint8_t packed[64];
	int pair[2];
	size_t size;

	dump.has_restored = dump.restored = true;
	resp.type = CRIU_REQ_TYPE__DUMP;
	resp.success = true;
	resp.dump = &dump;
	size = criu_resp__pack(&resp, packed);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_errno("cannot make the socket of the service");
		return -1;
	}
	if (send(pair[1], packed, size, MSG_NOSIGNAL) != (ssize_t)size || fcntl(pair[0], F_SETFL, e->flags) < 0) {
		err_errno("cannot put the response into the socket of the service");
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	close(pair[1]);
	return pair[0];
}
