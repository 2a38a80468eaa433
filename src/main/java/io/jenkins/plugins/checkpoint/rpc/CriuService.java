// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import java.io.Closeable;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves CRIU RPC on a socket: accepts clients, many at once, finds out who they are, and relays what they may ask to an engine.
 * Whatever a client does, the service lives on.
 */
public final class CriuService implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(CriuService.class);

    private final SeqPacketListener listener;
    private final RpcAddress address;
    private final Engine engine;
    private final ServiceOptions options;
    private final AccessPolicy policy;
    private final Set<SeqPacketSocket> clients = ConcurrentHashMap.newKeySet();
    private final Map<Integer, Integer> clientsOfUser = new ConcurrentHashMap<>();
    private final AtomicInteger count = new AtomicInteger();
    private final Thread acceptor;
    private volatile boolean closed;

    private CriuService(SeqPacketListener listener, RpcAddress address, Engine engine, ServiceOptions options) throws IOException {
        this.listener = listener;
        this.address = address;
        this.engine = engine;
        this.options = options;
        ProcessStatus self = ProcessStatus.of((int) ProcessHandle.current().pid()).orElseThrow();
        this.policy = new AccessPolicy(self.uids().get(1), self.gids().get(1), engine);
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
        SeqPacketListener listener = SeqPacketListener.bind(address, options.socketMode());
        CriuService service = new CriuService(listener, address, engine, options);
        service.acceptor.start();
        LOG.info("listening on {}, engine {}", address, engine.name());
        return service;
    }

    /**
     * Where it listens.
     *
     * @return the address it was started with
     */
    public RpcAddress address() {
        return address;
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
                SeqPacketSocket socket = listener.accept();
                admit(socket);
            } catch (IOException e) {
                if (!closed) {
                    LOG.warn("cannot accept a client on {}: {}", address, e.getMessage());
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
        } catch (IOException e) {
            socket.close();
            return;
        }
        int ofUser = clientsOfUser.merge(peer.uid(), 1, Integer::sum);
        if (count.incrementAndGet() > options.maxConnections() || !peer.isRoot() && ofUser > options.maxConnectionsOfUser()) {
            LOG.warn("client {}: turned away, too many connections", peer);
            try {
                socket.send(Requests.failure(criu_req_type.EMPTY, Errno.EAGAIN, "too many connections to the service; try again later").toByteArray());
            } catch (IOException e) {
                LOG.debug("client {} did not wait for the answer", peer);
            }
            dismiss(socket, peer);
            return;
        }
        clients.add(socket);
        Thread thread = new Thread(() -> {
            try {
                new Connection(socket, new PeerProcess(peer), engine, policy, options).serve();
            } catch (IOException | RuntimeException e) {
                LOG.error("client {}: {}", peer, e.toString(), e);
            } finally {
                dismiss(socket, peer);
            }
        }, "checkpoint-client-" + peer.pid());
        thread.setDaemon(true);
        thread.start();
    }

    private void dismiss(SeqPacketSocket socket, PeerCredentials peer) {
        clients.remove(socket);
        count.decrementAndGet();
        clientsOfUser.computeIfPresent(peer.uid(), (uid, n) -> n == 1 ? null : n - 1);
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("client {}: {}", peer, e.getMessage());
        }
    }

    /** Stops listening and hangs up on all clients. Engines end what they are doing by themselves. */
    @Override
    public void close() throws IOException {
        closed = true;
        listener.close();
        for (SeqPacketSocket client : clients) {
            client.close();
        }
    }
}
