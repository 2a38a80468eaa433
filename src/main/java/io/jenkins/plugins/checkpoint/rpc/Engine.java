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
     * Starts a process that serves one client.
     *
     * @param peer the client, in whose descriptor table the request's numbers are
     * @return the session
     * @throws IOException if the program cannot be started
     */
    EngineSession open(PeerCredentials peer) throws IOException;
}
