// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.rpc.CriuService;
import io.jenkins.plugins.checkpoint.rpc.RpcAddress;
import io.jenkins.plugins.checkpoint.rpc.ServiceOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code service}: serves CRIU RPC until it is told to stop. */
@Command(name = "service", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Serves CRIU RPC on a SOCK_SEQPACKET socket until SIGTERM or SIGINT; then it lets what is under way end.",
        footer = {"", "Root may ask for everything; any other user for what is its own, with its own rights: through a service of its own, or through one that",
                "runs as root with the embedded engine. Started by a systemd .socket unit it takes the socket from there. Each request leaves one line on",
                "standard error. docs/service.md tells more."})
final class ServiceCommand implements Callable<Integer> {
    private static final String DAEMON = "--daemon";
    private static final String IN_BACKGROUND = "--in-background";

    @Option(names = "--address", paramLabel = "SOCKET", description = "where to listen: a path, or @name in the abstract namespace")
    private String address;

    @Option(names = "--pidfile", paramLabel = "FILE", description = "writes the service's pid there once it listens")
    private Path pidfile;

    @Option(names = DAEMON, description = "goes on in the background once it listens")
    private boolean daemon;

    @Option(names = IN_BACKGROUND, hidden = true, description = "is the one in the background")
    private boolean inBackground;

    @Option(names = "--log-file", paramLabel = "FILE", description = "with --daemon: where the log goes, appended (default: nowhere)")
    private Path log;

    @Mixin
    private ServiceLimits limits;

    @Option(names = "--stop-timeout", paramLabel = "TIME", defaultValue = "10m", converter = TimeSpan.class,
            description = "how long to wait at the end for what is under way; then it is taken back (default: ${DEFAULT-VALUE})")
    private Duration patience;

    @Mixin
    private EngineChoice engine;

    @Override
    public Integer call() throws IOException, InterruptedException {
        // Each request leaves a line; the other verbs keep quiet.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "info");
        if (daemon) {
            Daemon.start(DAEMON, IN_BACKGROUND, log);
            return 0;
        }
        CriuService service;
        try {
            service = start(limits.options());
        } catch (IOException | IllegalArgumentException e) {
            if (inBackground) {
                Daemon.failed(e);
            }
            throw e;
        }
        if (inBackground) {
            Daemon.ready();
        }
        SystemdSocket.tell("READY=1");
        service.join();
        return 0;
    }

    private CriuService start(ServiceOptions options) throws IOException {
        int inherited = SystemdSocket.inherited();
        if ((inherited >= 0) == (address != null)) {
            throw new IllegalArgumentException(address == null ? "--address says where to listen: a path or @name"
                    : "--address " + address + " and a socket from systemd: leave --address out of the unit");
        }
        CriuService service = inherited >= 0 ? CriuService.startInherited(inherited, engine.engineOrAuto(), options)
                : CriuService.start(new RpcAddress(address), engine.engineOrAuto(), options);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(service), "checkpoint-stop"));
        if (pidfile != null) {
            // By way of another name: a link in its place is replaced, not followed.
            Path temporary = Files.createTempFile(pidfile.toAbsolutePath().getParent(), ".pid", null);
            Files.writeString(temporary, ProcessHandle.current().pid() + "\n");
            Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rw-r--r--"));
            Files.move(temporary, pidfile, StandardCopyOption.ATOMIC_MOVE);
        }
        return service;
    }

    private void stop(CriuService service) {
        SystemdSocket.tell("STOPPING=1");
        try {
            service.stop(patience);
            if (pidfile != null) {
                Files.deleteIfExists(pidfile);
            }
        } catch (IOException | InterruptedException e) {
            System.err.println("service: " + e.getMessage());
        }
    }
}
