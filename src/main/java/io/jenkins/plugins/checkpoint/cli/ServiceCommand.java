// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.rpc.CriuService;
import io.jenkins.plugins.checkpoint.rpc.RpcAddress;
import io.jenkins.plugins.checkpoint.rpc.ServiceOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code service}: serves CRIU RPC until it is told to stop. */
@Command(name = "service", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Serves CRIU RPC on a SOCK_SEQPACKET socket until SIGTERM or SIGINT.",
        footer = {"", "Root may ask for everything. The service's own user may dump and restore what is its own. Other users may dump what is theirs,",
                "through a service that runs as root with the embedded engine. Each request leaves one line on standard error."})
final class ServiceCommand implements Callable<Integer> {
    @Option(names = "--address", required = true, paramLabel = "SOCKET", description = "where to listen: a path, or @name in the abstract namespace")
    private String address;

    @Option(names = "--mode", paramLabel = "OCTAL", defaultValue = "666",
            description = "permissions of the socket file: who may connect (default: ${DEFAULT-VALUE}, as CRIU's)")
    private String mode;

    @Option(names = "--pidfile", paramLabel = "FILE", description = "writes the service's pid there once it listens")
    private Path pidfile;

    @Mixin
    private EngineChoice engine;

    @Override
    public Integer call() throws IOException, InterruptedException {
        // Each request leaves a line; the other verbs keep quiet.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "info");
        ServiceOptions options = ServiceOptions.DEFAULT.withSocketMode(permissions(mode));
        CriuService service = CriuService.start(new RpcAddress(address), engine.engine(), options);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                service.close();
                if (pidfile != null) {
                    Files.deleteIfExists(pidfile);
                }
            } catch (IOException e) {
                System.err.println("service: " + e.getMessage());
            }
        }));
        if (pidfile != null) {
            Files.writeString(pidfile, ProcessHandle.current().pid() + "\n");
        }
        service.join();
        return 0;
    }

    private static String permissions(String octal) {
        if (!octal.matches("0?[0-7]{3}")) {
            throw new IllegalArgumentException("--mode " + octal + ": expected three octal digits, such as 660");
        }
        int bits = Integer.parseInt(octal, 8);
        Set<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
        // The enum's order is that of the bits, from 0400 down to 0001.
        for (PosixFilePermission permission : PosixFilePermission.values()) {
            if ((bits >> (8 - permission.ordinal()) & 1) != 0) {
                set.add(permission);
            }
        }
        return PosixFilePermissions.toString(set);
    }
}
