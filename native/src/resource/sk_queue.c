/* SPDX-License-Identifier: MIT */
#include "resource/sk_queue.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/fd_table.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

#define PACKET_MAX (1u << 30) /* no socket buffer is larger: SO_SNDBUF is an int that the kernel doubles */
#define RIGHTS_MAX 253 /* SCM_MAX_FD, unix(7) */
#define PEEK_ROOM (256 * 1024)
#define DEPTH_MAX 1000 /* sockets in flight in sockets in flight */

/* --- dump --- */

static struct img *img;
/* Descriptors got from messages, open until no other file can be the same. */
static int *in_flight;
static size_t in_flight_count, in_flight_room;

int sk_queue_dump_end(void)
{
	int result = img_close(img);

	img = NULL;
	for (size_t i = 0; i < in_flight_count; i++)
		close(in_flight[i]);
	free(in_flight);
	in_flight = NULL;
	in_flight_count = in_flight_room = 0;
	return result;
}

/* Keeps the descriptors of a message; what peeking gave us twice goes again. */
static void keep_rights(struct msghdr *msg, bool keep)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
				int fd = ((int *)CMSG_DATA(c))[i];

				if (keep)
					*(int *)array_push(&in_flight, &in_flight_count, &in_flight_room, sizeof(int)) = fd;
				else
					close(fd);
			}
}

static int dump_rights(struct dump *dump, const int *fds, size_t count, SkPacketEntry *e)
{
	ScmEntry *scm = xzalloc(sizeof(*scm));

	scm_entry__init(scm);
	e->scm = xrealloc(e->scm, (e->n_scm + 1) * sizeof(*e->scm));
	e->scm[e->n_scm++] = scm;
	scm->type = SCM_RIGHTS;
	scm->rights = xzalloc(count * sizeof(*scm->rights));
	for (size_t i = 0; i < count; i++)
		if (fd_table_dump_in_flight(dump, fds[i], &scm->rights[scm->n_rights++]) < 0)
			return err_context("a descriptor in flight");
	return 0;
}

static int dump_control(struct dump *dump, struct msghdr *msg, SkPacketEntry *e, const char *what)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			if (dump_rights(dump, (int *)CMSG_DATA(c), (c->cmsg_len - CMSG_LEN(0)) / sizeof(int), e) < 0)
				return err_context("%s", what);
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
			const struct ucred *cred = (const void *)CMSG_DATA(c);

			e->pcr_credentials = xzalloc(3 * sizeof(uint32_t));
			e->n_pcr_credentials = 3;
			e->pcr_credentials[0] = cred->pid;
			e->pcr_credentials[1] = cred->uid;
			e->pcr_credentials[2] = cred->gid;
		}
		/* What else there is, time stamps and the like, is made anew when the message is sent again. */
	}
	return 0;
}

static int write_packet(struct dump *dump, struct msghdr *msg, size_t length, uint32_t id, const char *what)
{
	SkPacketEntry *e = xzalloc(sizeof(*e));
	size_t address = msg->msg_namelen > sizeof(sa_family_t) ? msg->msg_namelen - sizeof(sa_family_t) : 0;
	int result;

	sk_packet_entry__init(e);
	e->id_for = id;
	e->length = length;
	if (address) {
		e->has_pcr_from = true;
		e->pcr_from.len = address;
		e->pcr_from.data = xzalloc(address);
		memcpy(e->pcr_from.data, (char *)msg->msg_name + sizeof(sa_family_t), address);
	}
	result = dump_control(dump, msg, e, what);
	if (!result && !img && !(img = img_create(dump->dirfd, IMG_SK_QUEUES, 0)))
		result = -1;
	if (!result && (img_write(img, &e->base) < 0 || img_write_raw(img, msg->msg_iov->iov_base, length) < 0))
		result = -1;
	sk_packet_entry__free_unpacked(e, NULL);
	return result;
}

/* Goes through the queue with the help of SO_PEEK_OFF (socket(7)). A stream gives out plain data together with a message behind it that
 * carries descriptors, and a look does not tell where the one ends: they become one message, with the descriptors in front. */
static int peek_all(struct dump *dump, int fd, int type, uint32_t id, const char *what)
{
	auto_free char *buffer = xrealloc(NULL, PEEK_ROOM);
	char control[CMSG_SPACE(RIGHTS_MAX * sizeof(int)) + 512];
	struct sockaddr_storage from;
	size_t room = PEEK_ROOM;
	int at = 0;

	for (;;) {
		struct iovec iov = { buffer, room };
		struct msghdr msg = { &from, sizeof(from), &iov, 1, control, sizeof(control), 0 };
		ssize_t n;

		if (setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &at, sizeof(at)) < 0)
			return err_errno("%s: its queue cannot be looked through", what);
		n = recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC | (type == SOCK_STREAM ? 0 : MSG_TRUNC));
		if (n < 0 && (errno == EAGAIN || errno == ECONNRESET || errno == ENOTCONN))
			return 0;
		if (n < 0)
			return err_errno("%s: its queue cannot be read", what);
		if (n == 0 && type != SOCK_DGRAM)
			return 0;
		if ((size_t)n > room) {
			keep_rights(&msg, false);
			room = n;
			buffer = xrealloc(buffer, room);
			continue;
		}
		keep_rights(&msg, true);
		if (msg.msg_flags & MSG_CTRUNC)
			return err_set(E2BIG, "%s: a message in its queue has more control data than can be read (descriptors at their limit?)", what);
		if (type == SOCK_STREAM)
			msg.msg_namelen = 0;
		if (write_packet(dump, &msg, n, id, what) < 0)
			return -1;
		/* An empty message is passed over once it has been peeked at. */
		at += n;
		if (n == 0 && poll(&(struct pollfd){ .fd = fd, .events = POLLRDHUP }, 1, 0) > 0)
			return 0;
	}
}

/* One look at the whole queue, which is all there is where nobody sent descriptors or credentials. 1: written; 0: not as simple. */
static int peek_stream(struct dump *dump, int fd, uint32_t id, int queued, const char *what)
{
	auto_free char *buffer = xrealloc(NULL, queued);
	char control[CMSG_SPACE(RIGHTS_MAX * sizeof(int)) + 512];
	struct iovec iov = { buffer, queued };
	struct msghdr msg = { NULL, 0, &iov, 1, control, sizeof(control), 0 };
	ssize_t n = recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n == queued && !msg.msg_controllen)
		return write_packet(dump, &msg, n, id, what) < 0 ? -1 : 1;
	if (n >= 0)
		keep_rights(&msg, false);
	return 0;
}

int sk_queue_dump(struct dump *dump, int fd, int type, uint32_t id, const char *what)
{
	int was = -1, queued = 0, result;
	socklen_t n = sizeof(was);

	if (getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &was, &n) < 0)
		was = -1;
	if (type == SOCK_STREAM) {
		if (ioctl(fd, SIOCINQ, &queued) < 0)
			return err_errno("%s: its queue cannot be measured", what);
		if (!queued)
			return 0;
		if (was < 0 && (result = peek_stream(dump, fd, id, queued, what)) != 0)
			return result < 0 ? -1 : 0;
	}
	result = peek_all(dump, fd, type, id, what);
	if (setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &was, sizeof(was)) < 0)
		return err_errno("%s: its SO_PEEK_OFF cannot be put back", what);
	return result;
}

/* --- restore --- */

static struct sk_packet *packets; /* all of the image */
static bool packets_read;

static int read_packets(struct restore *restore)
{
	auto_img *in = img_open(restore->dirfd, IMG_SK_QUEUES, 0, true);
	struct sk_packet **end = &packets;
	SkPacketEntry *e;
	int got;

	if (!in)
		return errno == ENOENT && !err_code() ? 0 : -1;
	while ((got = img_read(in, &sk_packet_entry__descriptor, &e)) > 0) {
		struct sk_packet *p = xzalloc(sizeof(*p));

		p->entry = e;
		if (e->length > PACKET_MAX || (off_t)e->length > img_left(in))
			return err_set(EINVAL, "sk-queues.img: a message of %u bytes for file %u", e->length, e->id_for);
		p->data = xzalloc(e->length + 1);
		if (img_read_raw(in, p->data, e->length) < 0)
			return -1;
		*end = p;
		end = &p->next;
	}
	return got;
}

static int check_packet(struct restore *restore, const struct sk_packet *p)
{
	const SkPacketEntry *e = p->entry;

	if (e->n_scm > 1)
		return err_set(EINVAL, "sk-queues.img: a message with control data %zu times", e->n_scm);
	for (size_t i = 0; i < e->n_scm; i++) {
		if (e->scm[i]->type != SCM_RIGHTS || e->scm[i]->n_rights > RIGHTS_MAX)
			return err_set(ENOTSUP, "sk-queues.img: control data of type %u with %zu numbers", e->scm[i]->type, e->scm[i]->n_rights);
		for (size_t j = 0; j < e->scm[i]->n_rights; j++)
			if (restore_need_file(restore, e->scm[i]->rights[j], e->id_for) < 0)
				return err_context("in flight to file %u", e->id_for);
	}
	if (e->n_pcr_credentials && e->n_pcr_credentials != 3)
		return err_set(EINVAL, "sk-queues.img: credentials of %zu numbers", e->n_pcr_credentials);
	if (e->pcr_from.len > sizeof(((struct sockaddr_un *)0)->sun_path))
		return err_set(EINVAL, "sk-queues.img: an address of %zu bytes", e->pcr_from.len);
	return 0;
}

struct sk_packet *sk_queue_collect(struct restore *restore, uint32_t id, bool *failed)
{
	struct sk_packet *first = NULL, **end = &first;
	static int depth;

	*failed = true;
	if (depth > DEPTH_MAX) {
		err_set(ENOTSUP, "sk-queues.img: sockets in flight in one another, more than %d deep", DEPTH_MAX);
		return NULL;
	}
	if (!packets_read && read_packets(restore) < 0)
		return NULL;
	packets_read = true;
	depth++;
	for (struct sk_packet **p = &packets; *p;) {
		struct sk_packet *this = *p;

		if (this->entry->id_for != id) {
			p = &this->next;
			continue;
		}
		*p = this->next;
		this->next = NULL;
		*end = this;
		end = &this->next;
	}
	*failed = false;
	/* Collecting what is in flight may come back here for other sockets. */
	for (struct sk_packet *p = first; p && !*failed; p = p->next)
		*failed = check_packet(restore, p) < 0;
	depth--;
	return first;
}

static void add_control(struct msghdr *msg, int type, const void *data, size_t size)
{
	struct cmsghdr *c = (void *)((char *)msg->msg_control + msg->msg_controllen);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	msg->msg_controllen += CMSG_SPACE(size);
}

int sk_queue_send(struct restore *restore, const struct sk_packet *p, int fd, const void *to, socklen_t to_length)
{
	const SkPacketEntry *e = p->entry;
	char control[CMSG_SPACE(RIGHTS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(8)));
	struct iovec iov = { p->data, e->length };
	struct msghdr msg = { (void *)to, to_length, &iov, 1, control, 0, 0 };
	size_t done = 0;
	ssize_t n;

	memset(control, 0, sizeof(control));
	if (e->n_scm) {
		int fds[RIGHTS_MAX];

		for (size_t i = 0; i < e->scm[0]->n_rights; i++)
			fds[i] = restore_find_file(restore, e->scm[0]->rights[i])->slot;
		add_control(&msg, SCM_RIGHTS, fds, e->scm[0]->n_rights * sizeof(int));
	}
	if (e->n_pcr_credentials) {
		struct ucred cred = { e->pcr_credentials[0], e->pcr_credentials[1], e->pcr_credentials[2] };

		add_control(&msg, SCM_CREDENTIALS, &cred, sizeof(cred));
	}
	if (!msg.msg_controllen)
		msg.msg_control = NULL;
	do {
		n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		/* The sender named in the message is gone, or may not be named by us. */
		if (n < 0 && (errno == ESRCH || errno == EPERM) && e->n_pcr_credentials && !done) {
			pr_warn("a message queued in a socket was sent by pid %u, which cannot be named as its sender any more", e->pcr_credentials[0]);
			msg.msg_controllen -= CMSG_SPACE(sizeof(struct ucred));
			n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		}
		if (n < 0)
			return err_errno("%u bytes cannot be put into a socket's queue again (%zu were)", e->length, done);
		done += n;
		iov.iov_base = p->data + done;
		iov.iov_len = e->length - done;
		/* Descriptors go with the first byte. */
		if (e->n_scm)
			msg.msg_control = NULL, msg.msg_controllen = 0;
	} while (done < e->length);
	return 0;
}
