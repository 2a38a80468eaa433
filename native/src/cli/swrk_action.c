/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/action_script.h"
#include "cli/log_file.h"
#include "cli/swrk_opts.h"
#include "cli/swrk_session.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "pageserver/server.h"
#include "resource/unixsk_service.h"
#include "tree/dump.h"
#include "tree/pre_dump.h"
#include "tree/restore.h"

static const struct session *current; /* whose request is carried out: struct request's callbacks know nothing else of it */
static struct request *answers; /* where what a notification's answer brings is put */

static bool client_gone(void)
{
	struct pollfd p = { .fd = current->socket };

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
	if (swrk_respond(current, &resp) < 0)
		return -1;
	while ((n = recv(current->socket, buffer, sizeof(buffer), 0)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		return err_set(ECONNABORTED, "the client went away instead of answering the notification %s", script);
	answer = criu_req__unpack(NULL, n, buffer);
	agreed = answer && answer->type == CRIU_REQ_TYPE__NOTIFY && answer->has_notify_success && answer->notify_success;
	/* query-ext-files: sockets that may have their other ends outside. */
	for (size_t i = 0; agreed && answer->opts && i < answer->opts->n_unix_sk_ino; i++)
		unix_sk_ino_add(answers, answer->opts->unix_sk_ino[i]->inode);
	if (answer)
		criu_req__free_unpacked(answer, NULL);
	if (!agreed)
		return err_set(ECANCELED, "the client said no to the notification %s", script);
	/* Those of configuration files. */
	return action_script_run(request, script, pid);
}

/* A dump request without pid: the asking process itself. With --peer a service is in between, our parent. */
static int take_self(const struct session *session, struct request *request)
{
	const struct peer *peer = &session->started->service_peer;
	struct stat st;

	if (fstat(session->socket, &st) < 0)
		return err_errno("descriptor %d", session->socket);
	request->pid = session->client;
	request->service_inode = unixsk_service_inode(session->client, peer->pid ? peer->socket : st.st_ino, getppid());
	return request->service_inode ? 0 : -1;
}

static int take(const struct session *session, const CriuReq *req, struct request *request)
{
	if (!req->opts)
		return err_set(EBADRQC, "a request of this type needs opts");
	if (swrk_opts_take(session, req->opts, request) < 0 || log_file_open(request) < 0) {
		/* What CRIU says of all that is wrong with a request. */
		if (err_code() != ENOTSUP && err_code() != ESRCH && err_code() != EPERM && err_code() != EACCES)
			err_recode(EBADRQC);
		return -1;
	}
	request->notify = req->opts->notify_scripts ? notify_client : request->notify;
	request->client_gone = client_gone;
	return 0;
}

static int act(const struct session *session, const CriuReq *req, struct request *request, struct result *result)
{
	bool dump = req->type != CRIU_REQ_TYPE__RESTORE;
	int failed;

	if (take(session, req, request) < 0)
		return -1;
	request->pre_dump = dump && req->type != CRIU_REQ_TYPE__DUMP;
	if (dump && !request->pid && take_self(session, request) < 0)
		return -1;
	peer_ptrace(dump);
	failed = request->pre_dump ? pre_dump_run(request) : dump ? dump_run(request, result) : restore_run(request, result);
	peer_ptrace(false);
	return failed;
}

/* The server outlives this request; whoever keeps the connection open may wait for it (WAIT_PID). */
int swrk_page_server(const struct session *session, const CriuReq *req)
{
	CriuResp resp = CRIU_RESP__INIT;
	CriuPageServerInfo info = CRIU_PAGE_SERVER_INFO__INIT;
	struct request request = REQUEST_INIT;
	uint16_t port = 0;
	pid_t pid = -1;

	current = session;
	answers = &request;
	if (take(session, req, &request) == 0) {
		request.leash = session->started->service_peer.pid ? getppid() : 0;
		pid = page_server_start(&request, session->socket, &port);
	}
	swrk_opts_close(&request);
	if (pid < 0)
		return swrk_refuse(session, req->type);
	info.has_pid = info.has_port = true;
	info.pid = pid;
	info.port = port;
	resp.type = req->type;
	resp.success = true;
	resp.ps = &info;
	return swrk_respond(session, &resp);
}

int swrk_action(const struct session *session, const CriuReq *req)
{
	CriuResp resp = CRIU_RESP__INIT;
	CriuDumpResp dump_resp = CRIU_DUMP_RESP__INIT;
	CriuRestoreResp restore_resp = CRIU_RESTORE_RESP__INIT;
	struct request request = REQUEST_INIT;
	struct result result = { 0 };
	bool pre_dump = req->type == CRIU_REQ_TYPE__PRE_DUMP || req->type == CRIU_REQ_TYPE__SINGLE_PRE_DUMP;
	bool dump = req->type == CRIU_REQ_TYPE__DUMP;
	char text[ERR_TEXT_MAX];
	int failed;

	current = session;
	answers = &request;
	failed = act(session, req, &request, &result);
	swrk_opts_close(&request);
	session->done->killed = !failed && dump && !request.leave_running && !request.leave_stopped ? request.pid : 0;
	session->done->exec_cmd = !failed && !dump && !pre_dump ? request.exec_cmd : NULL;
	resp.type = req->type;
	resp.success = !failed;
	if (failed)
		swrk_set_failure(session, &resp, text);
	if (dump) {
		resp.dump = &dump_resp;
		dump_resp.has_restored = true;
		dump_resp.restored = result.restored;
	} else if (!pre_dump) {
		resp.restore = &restore_resp;
		restore_resp.pid = failed ? -1 : result.pid;
	}
	return swrk_respond(session, &resp);
}
