// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import com.google.protobuf.InvalidProtocolBufferException;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves one client, one request after another, until it hangs up. */
final class Connection {
    private static final Logger LOG = LoggerFactory.getLogger(CriuService.class);

    private final SeqPacketSocket socket;
    private final PeerProcess peer;
    private final Engine engine;
    private final AccessPolicy policy;
    private final ServiceLoad load;
    private final ServiceOptions options;
    // Kept from one request to the next while the client says keep_open: a restored process can then be waited for.
    private EngineSession kept;

    Connection(SeqPacketSocket socket, PeerProcess peer, Engine engine, AccessPolicy policy, ServiceLoad load, ServiceOptions options) {
        this.socket = socket;
        this.peer = peer;
        this.engine = engine;
        this.policy = policy;
        this.load = load;
        this.options = options;
    }

    void serve() throws IOException {
        try {
            Duration patience = options.firstRequest();
            while (serveNext(patience)) {
                patience = options.laterRequest();
            }
        } catch (SocketTimeoutException e) {
            LOG.info("client {}: hung up on, {}", peer, e.getMessage());
        } catch (IOException e) {
            // The client's own doing; what it asked for is logged already.
            LOG.info("client {}: gone ({})", peer, e.getMessage());
        } finally {
            if (kept != null) {
                kept.close();
            }
        }
    }

    /** Returns false when the connection is at its end. */
    private boolean serveNext(Duration patience) throws IOException {
        criu_req handedOver = kept == null ? nextForEngine(patience) : null;
        if (handedOver != null) {
            return handOver(handedOver);
        }
        byte[] packet;
        try {
            packet = socket.receive(patience);
        } catch (PacketTooLargeException e) {
            answer(null, System.nanoTime(), Requests.failure(criu_req_type.EMPTY, Errno.EMSGSIZE, "request not understood: " + e.getMessage()));
            return true;
        }
        long start = System.nanoTime();
        criu_req request;
        try {
            request = Requests.parse(packet);
        } catch (RefusedException e) {
            return refuse(packet, start, Requests.failure(criu_req_type.EMPTY, e.errno(), e.getMessage()));
        }
        serve(request, start);
        return true;
    }

    private boolean refuse(byte[] packet, long start, criu_resp refusal) throws IOException {
        if (packet.length > 0) {
            answer(null, start, refusal);
            return true;
        }
        // An empty packet and the end look the same. Who is gone will not mind the answer, and nothing can follow the end.
        try {
            socket.send(refusal.toByteArray());
            RequestLog.answered(peer, null, start, refusal);
        } catch (IOException gone) {
            LOG.debug("client {}: hung up", peer);
        }
        return false;
    }

    private void serve(criu_req request, long start) throws IOException {
        try {
            load.begin(peer.credentials(), request.getType());
        } catch (RefusedException e) {
            answer(request, start, Requests.failure(request.getType(), e.errno(), e.getMessage()));
            return;
        }
        try {
            criu_resp response;
            try {
                response = relay(request);
            } catch (RefusedException e) {
                response = Requests.failure(request.getType(), e.errno(), e.getMessage());
            } catch (RuntimeException e) {
                LOG.error("client {}: {}", peer, e.toString(), e);
                response = Requests.failure(request.getType(), Errno.EIO, "the service failed: " + e);
            }
            answer(request, start, response);
        } finally {
            load.end(peer.credentials(), request.getType());
        }
    }

    // --- an engine that goes on with the client's own socket ---

    /** The next request, still unread, if it is for an engine that has to read it by itself; else null. */
    private criu_req nextForEngine(Duration patience) throws IOException {
        if (!engine.wantsConnections()) {
            return null;
        }
        try {
            criu_req request = Requests.parse(socket.peek(patience));
            return engine.wantsConnection(request) ? request : null;
        } catch (RefusedException | PacketTooLargeException e) {
            // Read in the ordinary way, it is refused in the ordinary way.
            return null;
        }
    }

    private boolean handOver(criu_req request) throws IOException {
        long start = System.nanoTime();
        try {
            load.begin(peer.credentials(), request.getType());
        } catch (RefusedException e) {
            return refuseUnread(request, start, e);
        }
        try {
            peer.forEngine(policy.check(peer.credentials(), request));
            peer.checkDirectories(request);
            Process process = engine.handOver(socket);
            int status = process.waitFor();
            RequestLog.handedOver(peer, request, start, status == 0 ? "ok" : "failed, " + engine.name() + " answered by itself and exited with status " + status);
            return false;
        } catch (RefusedException e) {
            return refuseUnread(request, start, e);
        } catch (InterruptedException e) {
            throw new IOException("interrupted while " + engine.name() + " served the client", e);
        } finally {
            load.end(peer.credentials(), request.getType());
        }
    }

    private boolean refuseUnread(criu_req request, long start, RefusedException reason) throws IOException {
        socket.receive(options.firstRequest());
        answer(request, start, Requests.failure(request.getType(), reason.errno(), reason.getMessage()));
        return true;
    }

    // --- an engine that is asked in the client's name ---

    private criu_resp relay(criu_req request) throws RefusedException {
        EngineSession session = null;
        boolean keep = false;
        try {
            ProcessStatus target = policy.check(peer.credentials(), request);
            engine.check(request);
            peer.checkDirectories(request);
            session = kept != null ? kept : open(peer.forEngine(target));
            kept = null;
            criu_resp response = exchange(session, request);
            keep = request.getKeepOpen() && response.getSuccess();
            return response;
        } catch (IOException e) {
            throw new RefusedException(Errno.EIO, e.getMessage() == null ? e.toString() : e.getMessage());
        } finally {
            if (keep) {
                kept = session;
            } else if (session != null) {
                close(session);
            }
        }
    }

    private EngineSession open(EngineClient client) throws RefusedException {
        try {
            return engine.open(client);
        } catch (IOException e) {
            throw new RefusedException(Errno.EIO, "cannot start the engine, " + engine.name() + ": " + e.getMessage());
        }
    }

    /** One request and its answer, with the notifications in between that the client wished for. */
    private criu_resp exchange(EngineSession session, criu_req request) throws IOException, RefusedException {
        try {
            session.send(request);
        } catch (IOException e) {
            throw engineGone(session, request);
        }
        while (true) {
            byte[] packet;
            try {
                packet = session.receive();
            } catch (IOException e) {
                throw engineGone(session, request);
            }
            if (packet.length == 0) {
                throw engineGone(session, request);
            }
            criu_resp response;
            try {
                response = criu_resp.parseFrom(packet);
            } catch (InvalidProtocolBufferException e) {
                throw new RefusedException(Errno.EIO, engine.name() + " answered with something that is not a criu_resp: " + e.getMessage());
            }
            if (response.getType() != criu_req_type.NOTIFY) {
                return withReason(session, response);
            }
            notifyClient(session, response);
        }
    }

    // CRIU often fails without a word: its log has the reason, and where that went to standard error it was read here.
    private criu_resp withReason(EngineSession session, criu_resp response) {
        if (response.getSuccess() || response.hasCrErrmsg()) {
            return response;
        }
        String reason = engine.name() + " gave no reason" + session.lastWords().map(line -> "; its last words: " + line)
                .orElse("; its log in the images or work directory may have it");
        return response.toBuilder().setCrErrmsg(reason).build();
    }

    private void notifyClient(EngineSession session, criu_resp notification) throws IOException, RefusedException {
        String what = "NOTIFY " + notification.getNotify().getScript();
        byte[] packet;
        try {
            socket.send(notification.toByteArray());
            packet = socket.receive(options.notifyAnswer());
        } catch (SocketTimeoutException e) {
            throw new RefusedException(Errno.ETIMEDOUT, "no answer to " + what + " within " + options.notifyAnswer().toSeconds() + " s");
        }
        if (packet.length == 0) {
            throw new RefusedException(Errno.ECONNABORTED, "the client hung up instead of answering " + what);
        }
        criu_req answer;
        try {
            answer = criu_req.parseFrom(packet);
        } catch (InvalidProtocolBufferException e) {
            throw new RefusedException(Errno.EBADRQC, "the answer to " + what + " is not a criu_req: " + e.getMessage());
        }
        if (answer.getType() != criu_req_type.NOTIFY) {
            throw new RefusedException(Errno.EBADRQC, "expected an answer to " + what + ", got " + answer.getType());
        }
        session.send(answer);
    }

    private RefusedException engineGone(EngineSession session, criu_req request) {
        return new RefusedException(Errno.EIO, engine.name() + " ended without an answer to " + request.getType() + ": " + session.howItEnded());
    }

    private void answer(criu_req request, long start, criu_resp response) throws IOException {
        RequestLog.answered(peer, request, start, response);
        socket.send(response.toByteArray());
    }

    private void close(EngineSession session) {
        try {
            session.close();
        } catch (IOException e) {
            LOG.debug("client {}: {}", peer, e.getMessage());
        }
    }
}
