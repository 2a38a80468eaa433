/* SPDX-License-Identifier: MIT */
#include "cli/swrk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/check.h"
#include "cli/log_file.h"
#include "cli/swrk_opts.h"
#include "cli/version.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/unixsk_service.h"
#include "tree/dump.h"
#include "tree/restore.h"

#define MESSAGE_MAX (64 * 1024)

static int respond(int socket, const CriuResp *resp)
{
	size_t size = criu_resp__get_packed_size(resp);
	auto_free uint8_t *packed = xrealloc(NULL, size);

	criu_resp__pack(resp, packed);
	if (send(socket, packed, size, MSG_NOSIGNAL) != (ssize_t)size)
		return err_errno("cannot send the response");
	return 0;
}

static int respond_failure(int socket, CriuReqType type)
{
	CriuResp resp = CRIU_RESP__INIT;
	char text[ERR_TEXT_MAX];

	snprintf(text, sizeof(text), "%s", err_text());
	resp.type = type;
	resp.success = false;
	resp.has_cr_errno = true;
	resp.cr_errno = err_code();
	resp.cr_errmsg = text;
	err_clear();
	return respond(socket, &resp);
}

static int client; /* the socket */
static struct peer service_peer; /* pid 0: nobody stands between us and the client */
static bool became_peer; /* we were root and are that process' user now */
static const struct request *started;
static struct swrk_done *last; /* where to note what the request that is served came to */

static bool client_gone(void)
{
	struct pollfd p = { .fd = client };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

/* NOTIFY and its answer (criu_notify, notify_success). */
static int notify_client(const struct request *request, const char *script, pid_t pid)
{
	CriuNotify notify = CRIU_NOTIFY__INIT;
	CriuResp resp = CRIU_RESP__INIT;
	uint8_t buffer[4096];
	CriuReq *answer;
	bool agreed;
	ssize_t n;

	notify.script = (char *)script;
	notify.has_pid = pid != 0;
	notify.pid = pid;
	resp.type = CRIU_REQ_TYPE__NOTIFY;
	resp.success = true;
	resp.notify = &notify;
	if (respond(client, &resp) < 0)
		return -1;
	while ((n = recv(client, buffer, sizeof(buffer), 0)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		return err_set(ECONNABORTED, "the client went away instead of answering the notification %s", script);
	answer = criu_req__unpack(NULL, n, buffer);
	agreed = answer && answer->type == CRIU_REQ_TYPE__NOTIFY && answer->has_notify_success && answer->notify_success;
	if (answer)
		criu_req__free_unpacked(answer, NULL);
	return agreed ? 0 : err_set(ECANCELED, "the client said no to the notification %s", script);
}

/* A dump request without pid: the asking process itself. With --peer a service is in between, our parent. */
static int take_self(int socket, pid_t peer, struct request *request)
{
	struct stat st;

	if (fstat(socket, &st) < 0)
		return err_errno("descriptor %d", socket);
	request->pid = peer;
	request->service_inode = unixsk_service_inode(peer, service_peer.pid ? service_peer.socket : st.st_ino, getppid());
	return request->service_inode ? 0 : -1;
}

/* Opens what both directions need, acts, answers. */
static int serve_action(int socket, const CriuReq *req, pid_t peer)
{
	CriuResp resp = CRIU_RESP__INIT;
	CriuDumpResp dump_resp = CRIU_DUMP_RESP__INIT;
	CriuRestoreResp restore_resp = CRIU_RESTORE_RESP__INIT;
	struct request request = { .images_fd = -1, .work_fd = -1 };
	struct result result = { 0 };
	bool dump = req->type == CRIU_REQ_TYPE__DUMP;
	int failed;

	if (!req->opts)
		failed = err_set(EINVAL, "a request of this type needs opts");
	else
		failed = swrk_opts_take(req->opts, peer, &request);
	request.notify = req->opts && req->opts->notify_scripts ? notify_client : NULL;
	request.only_owner = became_peer;
	request.owner_uid = service_peer.uid;
	request.owner_gid = service_peer.gid;
	request.client_gone = client_gone;
	request.target = started->target;
	request.target_start = started->target_start;
	if (!failed)
		failed = log_file_open(&request);
	if (!failed && dump && !request.pid)
		failed = take_self(socket, peer, &request);
	peer_ptrace(dump);
	if (!failed)
		failed = dump ? dump_run(&request, &result) : restore_run(&request, &result);
	peer_ptrace(false);
	swrk_opts_close(&request);
	if (last)
		*last = (struct swrk_done){ .killed = !failed && dump && !request.leave_running && !request.leave_stopped ? request.pid : 0 };
	if (failed)
		return respond_failure(socket, req->type);
	resp.type = req->type;
	resp.success = true;
	if (dump) {
		resp.dump = &dump_resp;
		dump_resp.has_restored = result.restored;
		dump_resp.restored = result.restored;
	} else {
		resp.restore = &restore_resp;
		restore_resp.pid = result.pid;
	}
	return respond(socket, &resp);
}

static int serve_version(int socket)
{
	CriuVersion version = CRIU_VERSION__INIT;
	CriuResp resp = CRIU_RESP__INIT;

	version.major_number = PCR_CRIU_MAJOR;
	version.minor_number = PCR_CRIU_MINOR;
	version.name = (char *)"pcr " PCR_VERSION;
	resp.type = CRIU_REQ_TYPE__VERSION;
	resp.success = true;
	resp.version = &version;
	return respond(socket, &resp);
}

static int serve_check(int socket)
{
	CriuResp resp = CRIU_RESP__INIT;

	if (check_run(NULL) < 0)
		return respond_failure(socket, CRIU_REQ_TYPE__CHECK);
	resp.type = CRIU_REQ_TYPE__CHECK;
	resp.success = true;
	return respond(socket, &resp);
}

static int serve(int socket, const CriuReq *req, pid_t peer)
{
	switch (req->type) {
	case CRIU_REQ_TYPE__DUMP:
	case CRIU_REQ_TYPE__RESTORE:
		return serve_action(socket, req, peer);
	case CRIU_REQ_TYPE__VERSION:
		return serve_version(socket);
	case CRIU_REQ_TYPE__CHECK:
		return serve_check(socket);
	default: {
		const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(&criu_req_type__descriptor, req->type);

		err_set(EBADRQC, "requests of type %s are not supported yet", value ? value->name : "unknown");
		return respond_failure(socket, CRIU_REQ_TYPE__EMPTY);
	}
	}
}

int swrk_next(int socket, const struct request *arguments, struct swrk_done *done)
{
	pid_t peer = arguments->service_peer.pid;
	struct ucred cred;
	socklen_t length = sizeof(cred);
	static uint8_t buffer[MESSAGE_MAX];
	CriuReq *req;
	ssize_t n;
	int failed;

	memset(done, 0, sizeof(*done));
	client = socket;
	started = arguments;
	if (!peer) {
		if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &length) < 0)
			return err_errno("descriptor %d is not a Unix socket", socket);
		peer = cred.pid;
	}
	while ((n = recv(socket, buffer, sizeof(buffer), MSG_TRUNC)) < 0 && errno == EINTR)
		;
	if (n < 0)
		return err_errno("cannot receive a request");
	if (n == 0)
		return 0;
	req = n <= MESSAGE_MAX ? criu_req__unpack(NULL, n, buffer) : NULL;
	if (!req) {
		err_set(EBADRQC, "%zd bytes came that are not a criu_req", n);
		return respond_failure(socket, CRIU_REQ_TYPE__EMPTY) < 0 ? -1 : 0;
	}
	last = done;
	failed = serve(socket, req, peer);
	last = NULL;
	n = req->has_keep_open && req->keep_open;
	criu_req__free_unpacked(req, NULL);
	return failed ? -1 : n;
}

int swrk_run(int socket, const struct request *arguments)
{
	struct swrk_done done;
	int more;

	client = socket;
	service_peer = arguments->service_peer;
	if (service_peer.pid) {
		/* Ctrl-C in the service's terminal is for the service, which lets us finish. */
		setpgid(0, 0);
		if (peer_become(&service_peer, &became_peer) < 0)
			return respond_failure(socket, CRIU_REQ_TYPE__EMPTY);
	}
	while ((more = swrk_next(socket, arguments, &done)) > 0)
		;
	return more;
}
