/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/check.h"
#include "cli/check_needs.h"
#include "cli/log_file.h"
#include "cli/swrk_opts.h"
#include "cli/swrk_session.h"
#include "cli/version.h"
#include "common/err.h"
#include "resource/cpuinfo.h"

int swrk_version(const struct session *session, const CriuReq *req)
{
	CriuVersion version = CRIU_VERSION__INIT;
	CriuResp resp = CRIU_RESP__INIT;

	version.major_number = PCR_CRIU_MAJOR;
	version.minor_number = PCR_CRIU_MINOR;
	version.name = (char *)"pcr " PCR_VERSION;
	resp.type = req->type;
	resp.success = true;
	resp.version = &version;
	return swrk_respond(session, &resp);
}

int swrk_check(const struct session *session, const CriuReq *req)
{
	CriuResp resp = CRIU_RESP__INIT;

	if (check_run(NULL) < 0)
		return swrk_refuse(session, req->type);
	resp.type = req->type;
	resp.success = true;
	return swrk_respond(session, &resp);
}

/* Whether pcr check finds it. */
static bool is_there(const char *name)
{
	for (size_t i = 0; i < need_count; i++)
		if (!strcmp(needs[i].name, name))
			return needs[i].there();
	return false;
}

/* As CRIU answers: all three fields, false where not asked for. */
int swrk_feature_check(const struct session *session, const CriuReq *req)
{
	CriuFeatures features = CRIU_FEATURES__INIT;
	CriuResp resp = CRIU_RESP__INIT;
	const CriuFeatures *asked = req->features;

	if (!asked) {
		err_set(EBADRQC, "FEATURE_CHECK needs features to look at");
		return swrk_refuse(session, req->type);
	}
	features.has_mem_track = features.has_lazy_pages = features.has_pidfd_store = true;
	features.mem_track = asked->mem_track && is_there("mem_dirty_track");
	features.lazy_pages = asked->lazy_pages && is_there("uffd");
	features.pidfd_store = asked->pidfd_store && is_there("pidfd_getfd");
	resp.type = req->type;
	resp.success = true;
	resp.features = &features;
	return swrk_respond(session, &resp);
}

/* A restored tree or a page server that an earlier request on this connection has started: wait(2)'s status. */
int swrk_wait_pid(const struct session *session, const CriuReq *req)
{
	CriuResp resp = CRIU_RESP__INIT;
	pid_t pid = req->pid, ended;
	int status = 0;

	if (!req->has_pid || pid <= 0) {
		err_set(EBADRQC, "WAIT_PID needs a pid");
		return swrk_refuse(session, req->type);
	}
	while ((ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
		;
	if (ended < 0) {
		err_errno("process %d cannot be waited for: no earlier request of this connection has made it", pid);
		return swrk_refuse(session, req->type);
	}
	resp.type = req->type;
	resp.success = true;
	resp.has_status = true;
	resp.status = status;
	return swrk_respond(session, &resp);
}

int swrk_cpuinfo(const struct session *session, const CriuReq *req)
{
	CriuResp resp = CRIU_RESP__INIT;
	struct request request = REQUEST_INIT;
	int failed;

	failed = !req->opts ? err_set(EBADRQC, "a request of this type needs opts") : swrk_opts_take(session, req->opts, &request);
	if (!failed)
		failed = log_file_open(&request);
	if (!failed && req->type == CRIU_REQ_TYPE__CPUINFO_DUMP)
		failed = cpuinfo_write(request.images_fd);
	else if (!failed)
		failed = cpuinfo_check(request.images_fd, request.has_cpu_cap ? request.cpu_cap : CPU_CAP_DEFAULT, false);
	swrk_opts_close(&request);
	if (failed)
		return swrk_refuse(session, req->type);
	resp.type = req->type;
	resp.success = true;
	return swrk_respond(session, &resp);
}
