// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.TreeMap;

/** A CRIU RPC service on this agent for whatever a job runs. It outlives the agent's JVM; {@link Run#stop} and {@link Run#remove} end it. */
public final class Service {
    private Service() {}

    /**
     * Starts one.
     *
     * @param directory the service's own, absolute
     * @return the path of its socket
     * @throws AgentException if this machine cannot
     */
    public static String start(String directory) throws IOException, InterruptedException {
        Machine.requireSupported();
        RunDirectory run = RunDirectory.of(directory).create();
        Files.writeString(run.socketFile(), RunDirectory.shortDirectory().resolve("rpc").toString());
        // It serves as long as its program runs.
        Supervisor.start(run, run.path(), new TreeMap<>(System.getenv()), false, List.of("sleep", "infinity"));
        return run.socket().toString();
    }
}
