// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves CRIU RPC on a socket: accepts clients, many at once, finds out who they are, and relays what they may ask to an engine.
 * Whatever a client does, the service lives on.
 */
public final class CriuService implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(CriuService.class);

    private final SeqPacketListener listener;
    private final Engine engine;
    private final ServiceOptions options;
    private final AccessPolicy policy;
    private final ServiceLoad load;
    private final Set<SeqPacketSocket> clients = ConcurrentHashMap.newKeySet();
    private final Thread acceptor;
    private volatile boolean closed;

    private CriuService(SeqPacketListener listener, Engine engine, ServiceOptions options) throws IOException {
        this.listener = listener;
        this.engine = engine;
        this.options = options;
        this.load = new ServiceLoad(options);
        PeerCredentials self = EngineClient.self().credentials();
        this.policy = new AccessPolicy(self.uid(), self.gid(), engine);
        this.acceptor = new Thread(this::acceptClients, "checkpoint-service");
        this.acceptor.setDaemon(true);
    }

    /**
     * Starts a service; it runs in threads of its own until it is closed.
     *
     * @param address where it listens
     * @param engine what it relays to
     * @param options what it allows
     * @return the running service
     * @throws IOException if it cannot listen there
     */
    public static CriuService start(RpcAddress address, Engine engine, ServiceOptions options) throws IOException {
        return start(SeqPacketListener.bind(address, options.socketMode(), options.socketGroup()), engine, options);
    }

    /**
     * Starts a service on a socket that listens already, as systemd gives one to a process that it starts (sd_listen_fds(3)).
     *
     * @param descriptor the socket's number in this process
     * @param engine what it relays to
     * @param options what it allows; the socket's file stays as it is
     * @return the running service
     * @throws IOException if that is no SOCK_SEQPACKET Unix socket
     */
    public static CriuService startInherited(int descriptor, Engine engine, ServiceOptions options) throws IOException {
        return start(SeqPacketListener.inherited(descriptor), engine, options);
    }

    private static CriuService start(SeqPacketListener listener, Engine engine, ServiceOptions options) throws IOException {
        CriuService service = new CriuService(listener, engine, options);
        service.acceptor.start();
        LOG.info("listening on {}, engine {}", listener.address(), engine.name());
        return service;
    }

    /**
     * Where it listens.
     *
     * @return the address it was started with
     */
    public RpcAddress address() {
        return listener.address();
    }

    /**
     * Waits until the service is closed.
     *
     * @throws InterruptedException if the waiting thread is interrupted
     */
    public void join() throws InterruptedException {
        acceptor.join();
    }

    private void acceptClients() {
        while (!closed) {
            try {
                admit(listener.accept());
            } catch (IOException | RuntimeException | OutOfMemoryError e) {
                if (!closed) {
                    LOG.warn("cannot accept a client on {}: {}", listener.address(), e.toString());
                    pauseAfterFailure();
                }
            }
        }
    }

    // accept() out of descriptors fails again at once: do not spin.
    private void pauseAfterFailure() {
        try {
            Thread.sleep(200);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void admit(SeqPacketSocket socket) throws IOException {
        PeerCredentials peer;
        try {
            peer = socket.peer();
            load.connect(peer);
        } catch (IOException e) {
            socket.close();
            return;
        } catch (RefusedException e) {
            turnAway(socket, e);
            return;
        }
        clients.add(socket);
        try {
            Thread thread = new Thread(() -> serve(socket, peer), "checkpoint-client-" + peer.pid());
            thread.setDaemon(true);
            thread.start();
        } catch (RuntimeException | OutOfMemoryError e) {
            // The kernel gives no more threads.
            dismiss(socket, peer);
            throw e;
        }
    }

    private void serve(SeqPacketSocket socket, PeerCredentials peer) {
        try {
            new Connection(socket, new PeerProcess(peer, socket.inode()), engine, policy, load, options).serve();
        } catch (IOException | RuntimeException e) {
            if (!closed) {
                LOG.error("client {}: {}", peer, e.toString(), e);
            }
        } finally {
            dismiss(socket, peer);
        }
    }

    private static void turnAway(SeqPacketSocket socket, RefusedException reason) throws IOException {
        try (socket) {
            LOG.warn("client {}: turned away, {}", socket.peer(), reason.getMessage());
            socket.send(Requests.failure(criu_req_type.EMPTY, reason.errno(), reason.getMessage()).toByteArray());
        } catch (IOException e) {
            LOG.debug("a client did not wait for the answer: {}", e.getMessage());
        }
    }

    private void dismiss(SeqPacketSocket socket, PeerCredentials peer) {
        clients.remove(socket);
        load.disconnect(peer);
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("client {}: {}", peer, e.getMessage());
        }
    }

    /**
     * Begins nothing new, which whoever asks is told, waits for what is under way, and closes.
     *
     * @param patience how long to wait
     * @throws IOException if the socket file cannot be removed
     * @throws InterruptedException if the waiting thread is interrupted; the service is closed nevertheless
     */
    public void stop(Duration patience) throws IOException, InterruptedException {
        int under = load.stop();
        if (under > 0) {
            LOG.info("stopping; waiting for {} under way", under == 1 ? "one request" : under + " requests");
        }
        try {
            int left = load.awaitEnd(patience);
            if (left > 0) {
                LOG.warn("stopping with {} still under way after {} s: it is taken back", left == 1 ? "one request" : left + " requests", patience.toSeconds());
            }
        } finally {
            close();
        }
    }

    /** Stops listening and hangs up on all clients. Engines end by themselves, and take back what is half done. */
    @Override
    public void close() throws IOException {
        load.stop();
        closed = true;
        listener.close();
        for (SeqPacketSocket client : clients) {
            client.close();
        }
    }
}
