// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import java.io.IOException;

/** What dumps and restores: something that is asked in CRIU RPC and answers in it. */
public interface Engine {
    /**
     * Names the engine for people.
     *
     * @return such as {@code pcr (embedded)}
     */
    String name();

    /**
     * Says whose rights the engine opens files with.
     *
     * @return true if it opens image files with the rights of the client, so that a root service may serve other users
     */
    boolean actsWithPeersRights();

    /**
     * Looks for what this engine cannot do for a client.
     *
     * @param request what is asked
     * @throws RefusedException naming the first field that it cannot serve
     */
    void check(criu_req request) throws RefusedException;

    /**
     * Says whether there are requests that {@link #wantsConnection}.
     *
     * @return false for an engine that is always asked in the client's name
     */
    default boolean wantsConnections() {
        return false;
    }

    /**
     * Says whether a request can only be served by an engine that has the client's own socket, as a self dump or a descriptor that cannot
     * be opened twice.
     *
     * @param request what is asked
     * @return true if {@link #handOver} is to be used for it
     */
    default boolean wantsConnection(criu_req request) {
        return false;
    }

    /**
     * Starts a process that goes on with a connection in the service's place, with the request still to be read from it.
     *
     * @param connection the client's
     * @return the process; it exits with status 0 if the client got what it asked for
     * @throws IOException if it cannot be started
     */
    default Process handOver(SeqPacketSocket connection) throws IOException {
        throw new UnsupportedOperationException(name() + " needs no connection of the client's");
    }

    /**
     * Starts a process that serves one client.
     *
     * @param client whom it works for
     * @return the session
     * @throws IOException if the program cannot be started
     */
    EngineSession open(EngineClient client) throws IOException;
}
