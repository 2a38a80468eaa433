// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.rpc.CriuClient;
import io.jenkins.plugins.checkpoint.rpc.CriuService;
import io.jenkins.plugins.checkpoint.rpc.RpcAddress;
import io.jenkins.plugins.checkpoint.rpc.ServiceOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options that say which service a verb asks: the one at an address, or, without an address, one of its own that lives as long as the
 * verb. Either way the question is CRIU RPC over a socket: there is no other way to an engine.
 */
public final class ServiceLink {
    @Option(names = "--address", paramLabel = "SOCKET",
            description = "socket of a running service, a path or @name (default: $" + RpcAddress.ENVIRONMENT + ", else a service of its own)")
    private String address;

    @Mixin
    private EngineChoice engine;

    /** What a verb does with the service. */
    interface Work {
        /** Asks. */
        void with(CriuClient client) throws IOException;
    }

    /**
     * Does each work on a connection of its own, as CRIU's service wants it.
     *
     * @param works in this order
     * @throws IOException if there is no service, or a work fails
     */
    void connected(Work... works) throws IOException {
        String where = address != null ? address : engine.isGiven() ? null : System.getenv(RpcAddress.ENVIRONMENT);
        if (where != null && !where.isEmpty()) {
            if (engine.isGiven()) {
                throw new IllegalArgumentException("the service at " + where + " has its own engine: leave --engine, --criu and --pcr out");
            }
            ask(new RpcAddress(where), works);
            return;
        }
        Path directory = Files.createTempDirectory("process-checkpoint-");
        try (CriuService service = CriuService.start(RpcAddress.of(directory.resolve("service.sock")), engine.engine(), ServiceOptions.DEFAULT)) {
            ask(service.address(), works);
        } finally {
            Files.deleteIfExists(directory.resolve("service.sock"));
            Files.deleteIfExists(directory);
        }
    }

    private static void ask(RpcAddress address, Work... works) throws IOException {
        for (Work work : works) {
            try (CriuClient client = CriuClient.connect(address)) {
                work.with(client);
            }
        }
    }
}
