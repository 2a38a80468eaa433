// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_version;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code check}: asks a service whether this machine can dump and restore. */
@Command(name = "check", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Tells whether this machine can dump and restore; if not, what is missing.")
final class CheckCommand implements Callable<Integer> {
    @Mixin
    private ServiceLink service;

    @Override
    public Integer call() throws IOException {
        service.connected(client -> {
            criu_version version = client.version().getVersion();
            String name = version.hasName() && !version.getName().isEmpty() ? " (" + version.getName() + ")" : "";
            System.out.println("engine version " + version.getMajorNumber() + "." + version.getMinorNumber()
                    + (version.hasSublevel() ? "." + version.getSublevel() : "") + name);
        }, client -> {
            client.check();
            System.out.println("this machine can dump and restore");
        });
        return 0;
    }
}
