// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One line for each request: who, what, on which pid, how long, with what result. */
final class RequestLog {
    private static final Logger LOG = LoggerFactory.getLogger(CriuService.class);
    private static final int MAX_TEXT = 500;

    private RequestLog() {}

    /**
     * Logs a request that was answered.
     *
     * @param peer who asked
     * @param request what; null if it was not understood
     * @param start when it came, {@link System#nanoTime}
     * @param response the answer
     */
    static void answered(PeerProcess peer, criu_req request, long start, criu_resp response) {
        StringBuilder line = begin(peer, request, start);
        if (response.getSuccess()) {
            line.append("ok");
            if (response.hasRestore()) {
                line.append(", pid ").append(response.getRestore().getPid());
            }
            if (response.hasPs()) {
                line.append(", port ").append(response.getPs().getPort());
            }
        } else {
            line.append("failed");
            if (response.hasCrErrno()) {
                line.append(", ").append(Errno.nameOf(response.getCrErrno()));
            }
            if (response.hasCrErrmsg()) {
                line.append(", ").append(oneLine(response.getCrErrmsg()));
            }
        }
        LOG.info(line.toString());
    }

    /**
     * Logs a request that an engine has answered by itself.
     *
     * @param result how that ended
     */
    static void handedOver(PeerProcess peer, criu_req request, long start, String result) {
        LOG.info(begin(peer, request, start).append(result).toString());
    }

    private static StringBuilder begin(PeerProcess peer, criu_req request, long start) {
        StringBuilder line = new StringBuilder("client ").append(peer).append(": ");
        line.append(request == null ? "bad request" : request.getType());
        if (request != null && Targets.isDump(request.getType())) {
            line.append(" of pid ").append(Targets.pidOf(request, peer.credentials()));
            if (Targets.isSelfDump(request)) {
                line.append(" (itself)");
            }
        }
        return line.append(", ").append((System.nanoTime() - start) / 1_000_000).append(" ms: ");
    }

    /** Text from outside, fit for a line of a log. */
    static String oneLine(String text) {
        String line = text.replaceAll("[\\p{Cntrl}\\p{Cf}\\u2028\\u2029]+", " ").strip();
        return line.length() > MAX_TEXT ? line.substring(0, MAX_TEXT) + "..." : line;
    }
}
