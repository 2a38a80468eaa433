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
    private final ServiceOptions options;
    // Kept from one request to the next while the client says keep_open: a restored process can then be waited for.
    private EngineSession kept;

    Connection(SeqPacketSocket socket, PeerProcess peer, Engine engine, AccessPolicy policy, ServiceOptions options) {
        this.socket = socket;
        this.peer = peer;
        this.engine = engine;
        this.policy = policy;
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

    /** Returns false when the client has hung up. */
    private boolean serveNext(Duration patience) throws IOException {
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
            criu_resp refusal = Requests.failure(criu_req_type.EMPTY, e.errno(), e.getMessage());
            if (packet.length > 0) {
                answer(null, start, refusal);
                return true;
            }
            // An empty packet and the end look the same. Who is gone will not mind the answer, and nothing can follow the end.
            try {
                socket.send(refusal.toByteArray());
                log(null, start, refusal);
            } catch (IOException gone) {
                LOG.debug("client {}: hung up", peer);
            }
            return false;
        }
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
        return true;
    }

    private criu_resp relay(criu_req original) throws RefusedException {
        EngineSession session = null;
        boolean keep = false;
        try {
            policy.check(peer.credentials(), original);
            engine.check(original);
            criu_req request = peer.resolve(original);
            session = kept != null ? kept : open();
            kept = null;
            criu_resp response = exchange(session, request);
            keep = original.getKeepOpen() && response.getSuccess();
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

    private EngineSession open() throws RefusedException {
        try {
            return engine.open(peer.credentials());
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
        socket.send(notification.toByteArray());
        byte[] packet = socket.receive(options.laterRequest());
        if (packet.length == 0) {
            throw new IOException("the client hung up instead of answering NOTIFY " + notification.getNotify().getScript());
        }
        criu_req answer;
        try {
            answer = criu_req.parseFrom(packet);
        } catch (InvalidProtocolBufferException e) {
            throw new RefusedException(Errno.EINVAL, "the answer to NOTIFY " + notification.getNotify().getScript() + " is not a criu_req: " + e.getMessage());
        }
        if (answer.getType() != criu_req_type.NOTIFY) {
            throw new RefusedException(Errno.EINVAL, "expected an answer to NOTIFY " + notification.getNotify().getScript() + ", got " + answer.getType());
        }
        session.send(answer);
    }

    private RefusedException engineGone(EngineSession session, criu_req request) {
        return new RefusedException(Errno.EIO, engine.name() + " ended without an answer to " + request.getType() + ": " + session.howItEnded());
    }

    private void answer(criu_req request, long start, criu_resp response) throws IOException {
        log(request, start, response);
        socket.send(response.toByteArray());
    }

    // Who, what, on which pid, how long, with what result: one line.
    private void log(criu_req request, long start, criu_resp response) {
        StringBuilder line = new StringBuilder("client ").append(peer).append(": ");
        line.append(request == null ? "bad request" : request.getType());
        if (request != null && Targets.isDump(request.getType())) {
            line.append(" of pid ").append(Targets.pidOf(request, peer.credentials()));
        }
        line.append(", ").append((System.nanoTime() - start) / 1_000_000).append(" ms: ");
        if (response.getSuccess()) {
            line.append("ok");
            if (response.hasRestore()) {
                line.append(", pid ").append(response.getRestore().getPid());
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

    private static String oneLine(String text) {
        String line = text.replaceAll("\\p{Cntrl}+", " ").strip();
        return line.length() > 500 ? line.substring(0, 500) + "..." : line;
    }

    private void close(EngineSession session) {
        try {
            session.close();
        } catch (IOException e) {
            LOG.debug("client {}: {}", peer, e.getMessage());
        }
    }
}
