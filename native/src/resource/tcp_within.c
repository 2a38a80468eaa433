/* SPDX-License-Identifier: MIT */
#include "resource/tcp_within.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/inetsk.h"
#include "resource/sk_opts.h"
#include "tree/dump.h"

#define SETTLE_MS 100 /* for acknowledgements over loopback */
#define CONNECT_MS 5000 /* other tasks' listeners on the same port, and what the dumped connection left in TIME_WAIT */
#define FIRST_SEQUENCE 0x10000000u

bool tcp_repair_allowed(void)
{
	static int allowed = -1;
	auto_fd fd = -1;
	int on = 1;

	if (allowed >= 0)
		return allowed;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	allowed = fd >= 0 && setsockopt(fd, SOL_TCP, TCP_REPAIR, &on, sizeof(on)) == 0;
	return allowed;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

static uint64_t deadline(unsigned int ms)
{
	return now_us() + ms * 1000ULL;
}

/* --- dump --- */

static int settle(const struct tcp_end *end)
{
	uint64_t until = deadline(SETTLE_MS);
	int unacknowledged = 0;

	while (ioctl(end->fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged) {
		if (now_us() > until)
			return err_set(EAGAIN, "%s: %d bytes wait until its other end, %s, has read what is before them; keeping them takes CAP_NET_ADMIN: dump at "
				       "another moment", end->what, unacknowledged, inetsk_show(end->entry, true));
		nap();
	}
	return 0;
}

static bool is_still(uint32_t state)
{
	return state == INETSK_ESTABLISHED || state == INETSK_FIN_WAIT2 || state == INETSK_CLOSE_WAIT || state == INETSK_CLOSE;
}

static int read_options(const struct tcp_end *end, TcpStreamEntry *e)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	if (getsockopt(end->fd, SOL_TCP, TCP_INFO, &info, &n) < 0)
		return err_errno("%s: its state cannot be read", end->what);
	if (info.tcpi_state != end->entry->state || !is_still(info.tcpi_state))
		return err_set(EAGAIN, "%s is a TCP connection on its way from one state to another: dump at another moment", end->what);
	e->opt_mask = info.tcpi_options & (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	e->snd_wscale = info.tcpi_snd_wscale;
	e->has_rcv_wscale = true;
	e->rcv_wscale = info.tcpi_rcv_wscale;
	e->mss_clamp = sk_get_int(end->fd, SOL_TCP, TCP_MAXSEG);
	e->has_timestamp = true;
	e->timestamp = sk_get_int(end->fd, SOL_TCP, TCP_TIMESTAMP);
	e->has_cork = e->has_nodelay = true;
	e->cork = sk_get_int(end->fd, SOL_TCP, TCP_CORK);
	e->nodelay = sk_get_int(end->fd, SOL_TCP, TCP_NODELAY);
	return 0;
}

int tcp_within_dump(struct dump *dump, const struct tcp_end *end, const struct tcp_end *other)
{
	TcpStreamEntry e = TCP_STREAM_ENTRY__INIT;
	auto_free char *in = NULL;
	auto_img *img = NULL;
	int queued = 0;

	if ((other && (settle(end) < 0 || settle(other) < 0)) || read_options(end, &e) < 0)
		return -1;
	if (ioctl(end->fd, SIOCINQ, &queued) < 0)
		return err_errno("%s: its receive queue cannot be read", end->what);
	in = xzalloc(queued + 1);
	if (queued && recv(end->fd, in, queued, MSG_PEEK | MSG_DONTWAIT) != queued)
		return err_set(EIO, "%s: its receive queue of %d bytes cannot be read", end->what, queued);
	/* Everything is acknowledged: what one end will send next, the other expects. The numbers themselves do not matter. */
	e.inq_len = queued;
	e.inq_seq = FIRST_SEQUENCE + (other ? other->number : end->number) * 0x10000u;
	e.outq_seq = FIRST_SEQUENCE + end->number * 0x10000u;
	e.has_unsq_len = true;
	img = img_create(dump->dirfd, IMG_TCP_STREAM, end->entry->ino);
	return !img || img_write(img, &e.base) < 0 || img_write_raw(img, in, e.inq_len) < 0 ? -1 : 0;
}

void tcp_within_drop(int fd)
{
	struct linger now = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* --- restore --- */

/* A listener at the address of one end, for this connection only. */
static int listen_at(const InetSkEntry *e)
{
	auto_fd fd = socket(e->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_storage address;
	socklen_t n = inetsk_address(e, false, &address);
	uint64_t until = deadline(CONNECT_MS);
	int result;

	if (fd < 0)
		return err_errno("cannot make a TCP socket");
	if (sk_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR") < 0 ||
	    (e->family == AF_INET6 && e->has_v6only && sk_set_int(fd, SOL_IPV6, IPV6_V6ONLY, e->v6only, "IPV6_V6ONLY") < 0))
		return -1;
	while (bind(fd, (void *)&address, n) < 0 || listen(fd, 1) < 0) {
		if (errno != EADDRINUSE || now_us() > until)
			return err_errno("its other end's address cannot be bound");
		nap();
	}
	result = fd;
	fd = -1;
	return result;
}

static int connect_to(int fd, const InetSkEntry *e)
{
	struct sockaddr_storage own, peer;
	socklen_t n = inetsk_address(e, false, &own);
	uint64_t until = deadline(CONNECT_MS);

	inetsk_address(e, true, &peer);
	while (bind(fd, (void *)&own, n) < 0) {
		if (errno != EADDRINUSE || now_us() > until)
			return err_errno("its address cannot be bound");
		nap();
	}
	while (connect(fd, (void *)&peer, n) < 0 && errno != EINPROGRESS) {
		if ((errno != EADDRNOTAVAIL && errno != EADDRINUSE) || now_us() > until)
			return err_errno("it cannot be connected");
		nap();
	}
	return 0;
}

/* Sends what the socket's other end is to find in its queue; the kernel on the way holds what does not fit there. */
static int refill(int fd, const char *data, uint32_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	uint64_t until = deadline(CONNECT_MS);

	for (uint32_t done = 0; done < size;) {
		ssize_t n = send(fd, data + done, size - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0) {
			done += n;
			continue;
		}
		if (errno != EAGAIN || now_us() > until)
			return err_errno("%u of %u bytes do not fit into its queues, whose limits (net.core.rmem_max, wmem_max) take CAP_NET_ADMIN to pass",
					 size - done, size);
		poll(&p, 1, 1);
	}
	return 0;
}

/* How much of what one end still had to send its other end had not got. */
static uint32_t missing(const struct tcp_within *from, const struct tcp_within *to)
{
	uint32_t difference = from->tcp->outq_seq - to->tcp->inq_seq;

	return difference <= from->tcp->outq_len ? difference : 0;
}

static int exchange(int near_fd, const struct tcp_within *near, int far_fd, const struct tcp_within *far)
{
	uint32_t to_far = missing(near, far), to_near = missing(far, near);

	if (refill(far_fd, near->in, near->tcp->inq_len) < 0 || refill(near_fd, far->in, far->tcp->inq_len) < 0)
		return -1;
	return refill(far_fd, far->out + (far->tcp->outq_len - to_near), to_near) < 0 ||
			       refill(near_fd, near->out + (near->tcp->outq_len - to_far), to_far) < 0 ?
		       -1 :
		       0;
}

int tcp_within_connect(const struct tcp_within *near, int fd, const struct tcp_within *far)
{
	auto_fd listener = listen_at(far->entry), made = -1;
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int result;

	if (listener < 0 || connect_to(fd, near->entry) < 0)
		return -1;
	if (poll(&p, 1, CONNECT_MS) <= 0 || (made = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0)
		return err_set(ETIMEDOUT, "its two ends do not find each other");
	if (exchange(fd, near, made, far) < 0)
		return -1;
	result = made;
	made = -1;
	return result;
}
