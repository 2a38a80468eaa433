// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;

/** A running engine that serves one connection. Closing it lets the engine finish what it does: nothing is killed half way. */
public interface EngineSession extends Closeable {
    /**
     * Hands the engine a request, or the client's answer to a NOTIFY.
     *
     * @param request what the client sent
     * @throws IOException if the engine is gone
     * @throws RefusedException if a descriptor that the request names is not open in the client
     */
    void send(criu_req request) throws IOException, RefusedException;

    /**
     * Waits for what the engine says.
     *
     * @return one criu_resp, undecoded; empty if the engine ended without one
     * @throws IOException if the connection to it broke
     */
    byte[] receive() throws IOException;

    /**
     * Tells how the engine ended, waiting for that a little.
     *
     * @return such as {@code it was killed by signal 9}, with the last line of its log
     */
    String howItEnded();

    /**
     * The last line that the engine printed on standard output or error.
     *
     * @return that line, or nothing if it printed none
     */
    Optional<String> lastWords();
}
