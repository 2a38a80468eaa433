/* SPDX-License-Identifier: MIT */
#include "pageserver/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"

static socklen_t fill(struct sockaddr_storage *to, const char *address, uint16_t port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (address && !strcmp(address, "localhost"))
		address = "127.0.0.1";
	if (!address || inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		return sizeof(*v6);
	}
	err_set(EINVAL, "page server: '%s' is no IP address; names are not looked up", address);
	return 0;
}

int ps_listen(const char *address, uint16_t *port)
{
	struct sockaddr_storage at;
	socklen_t length = fill(&at, address, *port);
	int fd, on = 1;

	if (!length)
		return -1;
	fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno("page server: cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, length) < 0 || listen(fd, 1) < 0 || getsockname(fd, (struct sockaddr *)&at, &length) < 0) {
		err_errno("page server: cannot listen at %s, port %u", address ? address : "any address", *port);
		close(fd);
		return -1;
	}
	*port = ntohs(at.ss_family == AF_INET ? ((struct sockaddr_in *)&at)->sin_port : ((struct sockaddr_in6 *)&at)->sin6_port);
	return fd;
}

static void hurry(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int ps_connect(const char *address, uint16_t port)
{
	struct sockaddr_storage to;
	socklen_t length = fill(&to, address ? address : "127.0.0.1", port);
	int fd;

	if (!length)
		return -1;
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, length) < 0) {
		err_errno("cannot connect to the page server at %s, port %u", address ? address : "127.0.0.1", port);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	hurry(fd);
	return fd;
}

int ps_accept(int fd)
{
	int listens = 0, connected;
	socklen_t length = sizeof(listens);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && !listens)
		return fd;
	while ((connected = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) < 0 && (errno == EINTR || errno == ECONNABORTED))
		;
	if (connected < 0)
		return err_errno("page server: no connection");
	hurry(connected);
	return connected;
}
