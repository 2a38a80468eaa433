/* SPDX-License-Identifier: MIT
 *
 * What the files of swrk share: the connection, and how it is answered.
 */
#ifndef PCR_CLI_SWRK_SESSION_H
#define PCR_CLI_SWRK_SESSION_H

#include "cli/request.h"
#include "cli/swrk.h"
#include "rpc.pb-c.h"

struct session {
	int socket;
	pid_t client; /* whose descriptor numbers a request has */
	bool client_is_parent; /* it started us: descriptors that it left open for us are ours under the same numbers */
	const struct request *started; /* swrk's own arguments */
	struct swrk_done *done;
};

/* Sends a response, or one with success false and the set error in it, which is forgotten then. Return 0, or -1 with the error set: the connection is
 * broken. */
int swrk_respond(const struct session *session, const CriuResp *resp);
int swrk_refuse(const struct session *session, CriuReqType type);
/* The set error into a response that has more to say than that. text: ERR_TEXT_MAX bytes that outlive it. */
void swrk_set_failure(const struct session *session, CriuResp *resp, char *text);

/* Requests of one kind each, answered. Return as swrk_respond. */
int swrk_action(const struct session *session, const CriuReq *req); /* DUMP, RESTORE */
int swrk_page_server(const struct session *session, const CriuReq *req); /* PAGE_SERVER, PAGE_SERVER_CHLD */
int swrk_version(const struct session *session, const CriuReq *req);
int swrk_check(const struct session *session, const CriuReq *req);
int swrk_feature_check(const struct session *session, const CriuReq *req);
int swrk_wait_pid(const struct session *session, const CriuReq *req);
int swrk_cpuinfo(const struct session *session, const CriuReq *req); /* CPUINFO_DUMP, CPUINFO_CHECK */

#endif
