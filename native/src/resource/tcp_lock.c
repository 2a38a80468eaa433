/* SPDX-License-Identifier: MIT */
#include "resource/tcp_lock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"

extern char **environ;

/* A v6 socket's connection may be one of IPv4. */
static bool is_mapped(const uint32_t *words)
{
	return !words[0] && !words[1] && words[2] == htonl(0xffff);
}

static int run(char *const *argv)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int status, code;
	pid_t pid;

	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_init(&actions);
	for (int fd = 0; fd <= 2; fd++)
		posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	code = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (code) {
		errno = code;
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* -A or -D of the rule for packets that come in from the peer, or go out to it. */
static int rule(const InetSkEntry *e, const char *verb, bool out)
{
	bool v4 = e->family == AF_INET || is_mapped(e->dst_addr);
	size_t skip = v4 && e->family == AF_INET6 ? 3 : 0;
	char own[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN], own_port[8], peer_port[8], mark[16];
	char *argv[] = { v4 ? "iptables" : "ip6tables", "-w", "-t", "filter", (char *)verb, out ? "OUTPUT" : "INPUT", "-p", "tcp", "-m", "mark",
			 "!", "--mark", mark, "-s", out ? own : peer, "--sport", out ? own_port : peer_port, "-d", out ? peer : own, "--dport",
			 out ? peer_port : own_port, "-j", "DROP", NULL };

	inet_ntop(v4 ? AF_INET : AF_INET6, e->src_addr + skip, own, sizeof(own));
	inet_ntop(v4 ? AF_INET : AF_INET6, e->dst_addr + skip, peer, sizeof(peer));
	snprintf(own_port, sizeof(own_port), "%u", e->src_port & 0xffff);
	snprintf(peer_port, sizeof(peer_port), "%u", e->dst_port & 0xffff);
	snprintf(mark, sizeof(mark), "0x%x", TCP_LOCK_MARK);
	return run(argv);
}

int tcp_lock_set(const InetSkEntry *e)
{
	int status = rule(e, "-I", false);

	if (!status)
		status = rule(e, "-I", true);
	if (status < 0)
		return err_errno("holding up the packets of a TCP connection while it is down takes iptables");
	if (status) {
		tcp_lock_remove(e);
		return err_set(EPERM, "iptables cannot hold up the packets of a TCP connection (exit status %d)", WEXITSTATUS(status));
	}
	return 0;
}

void tcp_lock_remove(const InetSkEntry *e)
{
	if (rule(e, "-D", false) < 0)
		return; /* no iptables, no rules */
	rule(e, "-D", true);
}
