// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import io.jenkins.plugins.checkpoint.rpc.Engine;
import io.jenkins.plugins.checkpoint.rpc.EngineClient;
import io.jenkins.plugins.checkpoint.rpc.EngineSession;
import io.jenkins.plugins.checkpoint.rpc.PeerCredentials;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Our own dumper. It is told who the client is: it reaches the request's descriptors through that process, and before it reads the request it
 * becomes that process' user for good.
 */
final class PcrEngine implements Engine {
    private final String name;
    private final Path program;

    PcrEngine(String name, Path program) {
        this.name = name;
        this.program = program;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean actsWithPeersRights() {
        return true;
    }

    @Override
    public void check(criu_req request) {
        // pcr names what it does not know by itself.
    }

    @Override
    public EngineSession open(EngineClient client) throws IOException {
        PeerCredentials peer = client.credentials();
        List<String> command = new ArrayList<>(List.of(program.toString(), "swrk", "0", "--progress-fd", "1", "--peer",
                String.join(":", Integer.toString(peer.pid()), Long.toString(client.startTime()), Integer.toUnsignedString(peer.uid()),
                        Integer.toUnsignedString(peer.gid()), Long.toString(client.socketInode()))));
        if (client.target() != 0) {
            command.addAll(List.of("--target", client.target() + ":" + client.targetStart()));
        }
        return EngineProcess.start(command, client.target() == 0 ? "pcr" : "pcr of pid " + client.target(), true);
    }
}
