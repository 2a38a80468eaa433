// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import io.jenkins.plugins.checkpoint.rpc.Engine;
import io.jenkins.plugins.checkpoint.rpc.EngineSession;
import io.jenkins.plugins.checkpoint.rpc.PeerCredentials;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Our own dumper. It is told the client's pid: it reaches the request's descriptors through that process and opens files with its rights. */
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
    public EngineSession open(PeerCredentials peer) throws IOException {
        return EngineProcess.start(List.of(program.toString(), "swrk", "0", "--peer", Integer.toString(peer.pid())), "pcr");
    }
}
