// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** What a service has to do just now, how much more it takes, and whether it takes anything any more. */
final class ServiceLoad {
    // What stops processes or makes them; the other types are questions, or wait for a client of their own.
    private static final Set<criu_req_type> ACTIONS = EnumSet.of(criu_req_type.DUMP, criu_req_type.PRE_DUMP, criu_req_type.SINGLE_PRE_DUMP,
            criu_req_type.RESTORE);

    private final ServiceOptions options;
    private final Map<Integer, Integer> connectionsOfUser = new HashMap<>();
    private final Map<Integer, Integer> actionsOfUser = new HashMap<>();
    private int connections;
    private int actions;
    private int requests;
    private boolean stopping;

    ServiceLoad(ServiceOptions options) {
        this.options = options;
    }

    /**
     * Counts a client that has connected.
     *
     * @throws RefusedException if that is one too many, or the service is stopping; then it is not counted
     */
    synchronized void connect(PeerCredentials peer) throws RefusedException {
        if (stopping) {
            throw stopping();
        }
        if (connections >= options.maxConnections()) {
            throw new RefusedException(Errno.EAGAIN, "too many connections: the service takes " + options.maxConnections() + " at once; try again later");
        }
        if (!peer.isRoot() && connectionsOfUser.getOrDefault(peer.uid(), 0) >= options.maxConnectionsOfUser()) {
            throw new RefusedException(Errno.EAGAIN, "too many connections of uid " + Integer.toUnsignedString(peer.uid()) + ": the service takes "
                    + options.maxConnectionsOfUser() + " of one user at once; close one of them");
        }
        connections++;
        connectionsOfUser.merge(peer.uid(), 1, Integer::sum);
    }

    synchronized void disconnect(PeerCredentials peer) {
        connections--;
        lessen(connectionsOfUser, peer.uid());
    }

    /**
     * Counts a request that an engine is going to work on.
     *
     * @throws RefusedException if that is one too many, or the service is stopping; then it is not counted
     */
    synchronized void begin(PeerCredentials peer, criu_req_type type) throws RefusedException {
        if (stopping) {
            throw stopping();
        }
        if (ACTIONS.contains(type)) {
            if (actions >= options.maxActions()) {
                throw new RefusedException(Errno.EAGAIN, "too many dumps and restores under way: the service does " + options.maxActions()
                        + " at once; try again later");
            }
            if (!peer.isRoot() && actionsOfUser.getOrDefault(peer.uid(), 0) >= options.maxActionsOfUser()) {
                throw new RefusedException(Errno.EAGAIN, "too many dumps and restores of uid " + Integer.toUnsignedString(peer.uid())
                        + " under way: the service does " + options.maxActionsOfUser() + " of one user at once; try again later");
            }
            actions++;
            actionsOfUser.merge(peer.uid(), 1, Integer::sum);
        }
        if (type != criu_req_type.WAIT_PID) {
            requests++;
        }
    }

    synchronized void end(PeerCredentials peer, criu_req_type type) {
        if (ACTIONS.contains(type)) {
            actions--;
            lessen(actionsOfUser, peer.uid());
        }
        // A client that waits for a process's end, which may be days, is not waited for.
        if (type != criu_req_type.WAIT_PID) {
            requests--;
        }
        notifyAll();
    }

    /** From now on nothing new is begun. Returns how many requests are still worked on. */
    synchronized int stop() {
        stopping = true;
        return requests;
    }

    /** Waits until nothing is worked on any more, or the time is up. Returns how many requests still are. */
    synchronized int awaitEnd(Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        for (long left = end - System.nanoTime(); requests > 0 && left > 0; left = end - System.nanoTime()) {
            wait(left / 1_000_000 + 1);
        }
        return requests;
    }

    private static RefusedException stopping() {
        return new RefusedException(Errno.ESHUTDOWN, "the service is stopping and begins nothing new");
    }

    private static void lessen(Map<Integer, Integer> counts, int uid) {
        counts.computeIfPresent(uid, (user, n) -> n == 1 ? null : n - 1);
    }
}
