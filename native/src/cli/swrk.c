/* SPDX-License-Identifier: MIT */
#include "cli/swrk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/swrk_session.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"

#define MESSAGE_MAX (64 * 1024)

int swrk_respond(const struct session *session, const CriuResp *resp)
{
	size_t size = criu_resp__get_packed_size(resp);
	auto_free uint8_t *packed = xrealloc(NULL, size);

	criu_resp__pack(resp, packed);
	if (send(session->socket, packed, size, MSG_NOSIGNAL) != (ssize_t)size)
		return err_errno("cannot send the response");
	return 0;
}

void swrk_set_failure(const struct session *session, CriuResp *resp, char *text)
{
	session->done->code = err_code();
	snprintf(text, ERR_TEXT_MAX, "%s", err_text());
	resp->success = false;
	resp->has_cr_errno = true;
	resp->cr_errno = err_code();
	resp->cr_errmsg = text;
	err_clear();
}

int swrk_refuse(const struct session *session, CriuReqType type)
{
	CriuResp resp = CRIU_RESP__INIT;
	char text[ERR_TEXT_MAX];

	resp.type = type;
	swrk_set_failure(session, &resp, text);
	return swrk_respond(session, &resp);
}

static int serve(const struct session *session, const CriuReq *req)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(&criu_req_type__descriptor, req->type);

	switch (req->type) {
	case CRIU_REQ_TYPE__DUMP:
	case CRIU_REQ_TYPE__PRE_DUMP:
	case CRIU_REQ_TYPE__SINGLE_PRE_DUMP:
	case CRIU_REQ_TYPE__RESTORE:
		return swrk_action(session, req);
	case CRIU_REQ_TYPE__PAGE_SERVER:
	case CRIU_REQ_TYPE__PAGE_SERVER_CHLD:
		return swrk_page_server(session, req);
	case CRIU_REQ_TYPE__VERSION:
		return swrk_version(session, req);
	case CRIU_REQ_TYPE__CHECK:
		return swrk_check(session, req);
	case CRIU_REQ_TYPE__FEATURE_CHECK:
		return swrk_feature_check(session, req);
	case CRIU_REQ_TYPE__WAIT_PID:
		return swrk_wait_pid(session, req);
	case CRIU_REQ_TYPE__CPUINFO_DUMP:
	case CRIU_REQ_TYPE__CPUINFO_CHECK:
		return swrk_cpuinfo(session, req);
	case CRIU_REQ_TYPE__NOTIFY:
		err_set(EBADRQC, "NOTIFY answers a notification, and none is waiting for an answer");
		return swrk_refuse(session, CRIU_REQ_TYPE__EMPTY);
	default:
		err_set(EBADRQC, "requests of type %s are not known", value ? value->name : "unknown");
		return swrk_refuse(session, CRIU_REQ_TYPE__EMPTY);
	}
}

/* false: the service stops, and no request has come. */
static bool await_request(int socket, int stop)
{
	struct pollfd fds[] = { { .fd = socket, .events = POLLIN }, { .fd = stop, .events = POLLIN } };

	while (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno == EINTR)
		;
	return fds[0].revents || !fds[1].revents;
}

int swrk_next(int socket, const struct request *arguments, struct swrk_done *done)
{
	struct session session = { .socket = socket, .client = arguments->service_peer.pid, .started = arguments, .done = done };
	struct ucred cred;
	socklen_t length = sizeof(cred);
	static uint8_t buffer[MESSAGE_MAX];
	CriuReq *req;
	uint64_t start;
	ssize_t n;
	int failed;

	memset(done, 0, sizeof(*done));
	if (!session.client) {
		if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &length) < 0)
			return err_errno("descriptor %d is not a Unix socket", socket);
		session.client = cred.pid;
		session.client_is_parent = cred.pid == getppid();
	}
	if (arguments->stop_fd && !await_request(socket, arguments->stop_fd))
		return 0;
	while ((n = recv(socket, buffer, sizeof(buffer), MSG_TRUNC)) < 0 && errno == EINTR)
		;
	if (n < 0)
		return err_errno("cannot receive a request");
	if (n == 0)
		return 0;
	req = n <= MESSAGE_MAX ? criu_req__unpack(NULL, n, buffer) : NULL;
	if (!req) {
		err_set(EBADRQC, "%zd bytes came that are not a criu_req", n);
		return swrk_refuse(&session, CRIU_REQ_TYPE__EMPTY) < 0 ? -1 : 0;
	}
	start = now_us();
	failed = serve(&session, req);
	if (arguments->tell) {
		done->type = req->type;
		done->asked_pid = req->opts && req->opts->has_pid ? req->opts->pid : req->has_pid ? (pid_t)req->pid : session.client;
		done->took_us = now_us() - start;
		arguments->tell(done);
	}
	/* After a PRE_DUMP the client goes on to the next one, or to the dump: criu's rpc.proto calls it one of a row. */
	n = (req->has_keep_open && req->keep_open) || req->type == CRIU_REQ_TYPE__PRE_DUMP;
	criu_req__free_unpacked(req, NULL);
	return failed ? -1 : n;
}

int swrk_run(int socket, const struct request *arguments)
{
	struct swrk_done done = { 0 };
	struct session session = { .socket = socket, .done = &done };
	struct request started = *arguments;
	int more;

	started.may_exec = true;
	if (started.service_peer.pid) {
		/* Ctrl-C in the service's terminal is for the service, which lets us finish. */
		setpgid(0, 0);
		if (peer_become(&started.service_peer, &started.only_owner) < 0)
			return swrk_refuse(&session, CRIU_REQ_TYPE__EMPTY);
	}
	while ((more = swrk_next(socket, &started, &done)) > 0 && !done.exec_cmd)
		;
	if (more < 0 || !done.exec_cmd)
		return more;
	execvp(done.exec_cmd[0], done.exec_cmd);
	return err_errno("the tree is restored, but %s cannot be executed", done.exec_cmd[0]);
}
