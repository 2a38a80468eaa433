// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.TestProcess;
import io.jenkins.plugins.checkpoint.rpc.CriuClient;
import io.jenkins.plugins.checkpoint.rpc.ProcessStatus;
import io.jenkins.plugins.checkpoint.rpc.RpcAddress;
import io.jenkins.plugins.checkpoint.rpc.SeqPacketSocket;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_page_server_info;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The service as a process of its own: in the background, under systemd, killed. */
class ServiceProcessIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    private Path directory;
    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void killAll() {
        started.forEach(Process::destroyForcibly);
    }

    private List<String> jar(String... arguments) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", System.getProperty("cli.jar")));
        command.addAll(List.of(arguments));
        return command;
    }

    private Process start(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(directory.resolve("log").toFile())
                .redirectInput(new File("/dev/null")).start();
        started.add(process);
        return process;
    }

    private String log() throws IOException {
        return Files.readString(directory.resolve("log"));
    }

    private SeqPacketSocket connect() throws IOException {
        return SeqPacketSocket.connect(RpcAddress.of(directory.resolve("socket")));
    }

    private byte[] dump(int pid, boolean notify) throws IOException {
        return criu_req.newBuilder().setType(criu_req_type.DUMP).setOpts(criu_opts.newBuilder().setImagesDirFd(-1)
                .setImagesDir(Files.createDirectories(directory.resolve("images-" + pid)).toString()).setPid(pid).setNotifyScripts(notify)).build().toByteArray();
    }

    private static List<ProcessHandle> engines(long service) {
        return ProcessHandle.of(service).stream().flatMap(ProcessHandle::children).toList();
    }

    @Test
    void leavesNothingStoppedAndNoEngineWhenItIsKilled() throws Exception {
        TestEngines.EMBEDDED.orSkip();
        Process service = start(jar("service", "--address", directory + "/socket", "--pidfile", directory + "/pid"));
        await().atMost(PATIENCE).until(() -> Files.exists(directory.resolve("pid")));
        List<TestProcess> targets = new ArrayList<>();
        List<SeqPacketSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < 6; i++) {
                // Big enough that some are in the middle of it.
                TestProcess target = TestProcess.start(directory, "b = bytearray(os.urandom(1 << 20) * 64)\nready()\nwhile True: time.sleep(0.01)\n");
                targets.add(target);
                SeqPacketSocket socket = connect();
                sockets.add(socket);
                socket.send(dump(target.pid(), i % 2 == 0));
                if (i % 2 == 0) {
                    // These wait for an answer that never comes.
                    assertThat(criu_resp.parseFrom(socket.receive(PATIENCE)).getType()).isEqualTo(criu_req_type.NOTIFY);
                }
            }
            int pageServer = pageServer();
            List<ProcessHandle> engines = new ArrayList<>(engines(service.pid()));
            assertThat(engines).isNotEmpty();
            engines.add(ProcessHandle.of(pageServer).orElseThrow());
            service.destroyForcibly().waitFor();
            await().atMost(PATIENCE).until(() -> engines.stream().noneMatch(ProcessHandle::isAlive));
            for (TestProcess target : targets) {
                Path inventory = directory.resolve("images-" + target.pid() + "/inventory.img");
                ProcessStatus status = ProcessStatus.of(target.pid()).filter(s -> s.state() != 'Z').orElse(null);
                if (status == null) {
                    // It was over before the service was.
                    assertThat(inventory).isRegularFile();
                } else {
                    assertThat(status.tracer()).isZero();
                    assertThat("RS").contains(String.valueOf(status.state()));
                    assertThat(inventory).doesNotExist();
                }
            }
            assertThat(targets.get(0).process().isAlive()).as("one that waited for its client").isTrue();
        } finally {
            for (SeqPacketSocket socket : sockets) {
                socket.close();
            }
            targets.forEach(TestProcess::close);
        }
    }

    // One that nobody connects to.
    private int pageServer() throws IOException {
        try (SeqPacketSocket socket = connect()) {
            socket.send(criu_req.newBuilder().setType(criu_req_type.PAGE_SERVER).setOpts(criu_opts.newBuilder().setImagesDirFd(-1)
                    .setImagesDir(Files.createDirectories(directory.resolve("pages")).toString())
                    .setPs(criu_page_server_info.newBuilder().setAddress("127.0.0.1").setPort(0))).build().toByteArray());
            criu_resp response = criu_resp.parseFrom(socket.receive(PATIENCE));
            assertThat(response.getSuccess()).as("%s", response).isTrue();
            return response.getPs().getPid();
        }
    }

    @Test
    void goesIntoTheBackgroundAndStopsWhenTold() throws Exception {
        TestEngines.EMBEDDED.orSkip();
        assertThat(start(jar("service", "--address", directory + "/socket", "--pidfile", directory + "/pid", "--mode", "660", "--group", "nogroup", "--daemon",
                "--log-file", directory + "/service.log")).waitFor()).as(log()).isZero();
        int pid = Integer.parseInt(Files.readString(directory.resolve("pid")).strip());
        try {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("socket")))).isEqualTo("rw-rw----");
            assertThat(Files.getAttribute(directory.resolve("socket"), "posix:group")).hasToString("nogroup");
            try (CriuClient client = CriuClient.connect(RpcAddress.of(directory.resolve("socket")))) {
                assertThat(client.version().getSuccess()).isTrue();
            }
            assertThat(start(jar("service", "--address", directory + "/socket", "--daemon")).waitFor()).isOne();
            assertThat(log()).isEqualTo("process-checkpoint service: cannot listen on " + directory + "/socket: process " + pid + " listens there already\n");
        } finally {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
        }
        await().atMost(PATIENCE).until(() -> !ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
        assertThat(directory.resolve("socket")).doesNotExist();
        assertThat(directory.resolve("pid")).doesNotExist();
        assertThat(Files.readString(directory.resolve("service.log"))).contains("engine auto: pcr (embedded) is used", "it can dump and restore here",
                "uid 0 gid 0: VERSION, ", " ms: ok");
    }

    @Test
    void takesItsSocketFromSystemd() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/systemd-socket-activate")), "systemd-socket-activate is not installed (Debian: systemd)");
        TestEngines.EMBEDDED.orSkip();
        List<String> command = new ArrayList<>(List.of("systemd-socket-activate", "--seqpacket", "--listen=" + directory + "/socket"));
        command.addAll(jar("service"));
        Process service = start(command);
        await().atMost(PATIENCE).until(() -> Files.exists(directory.resolve("socket")));
        for (int i = 0; i < 3; i++) {
            try (CriuClient client = CriuClient.connect(RpcAddress.of(directory.resolve("socket")))) {
                assertThat(client.version().getSuccess()).isTrue();
            }
        }
        assertThat(log()).contains("listening on " + directory + "/socket");
        service.destroy();
        service.waitFor();
        // systemd's, not the service's.
        assertThat(directory.resolve("socket")).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"%s/notify", "@notify-%s"})
    void tellsSystemdThatItIsReady(String form) throws Exception {
        TestEngines.EMBEDDED.orSkip();
        String where = form.formatted(form.startsWith("@") ? "test-" + ProcessHandle.current().pid() : directory);
        // What systemd does on its side (sd_notify(3)): a datagram socket.
        Process listener = new ProcessBuilder(TestProcess.PYTHON, "-u", "-c", "import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                + "s.bind(sys.argv[1].replace('@', chr(0)))\nprint('bound')\nfor i in range(2): print(s.recv(100).decode())\n", where).redirectErrorStream(true).start();
        started.add(listener);
        BufferedReader said = listener.inputReader();
        assertThat(said.readLine()).isEqualTo("bound");
        ProcessBuilder builder = new ProcessBuilder(jar("service", "--address", directory + "/socket")).redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile());
        builder.environment().put("NOTIFY_SOCKET", where);
        Process service = builder.start();
        started.add(service);
        assertThat(said.readLine()).isEqualTo("READY=1");
        service.destroy();
        assertThat(said.readLine()).isEqualTo("STOPPING=1");
        // 128 + SIGTERM, which SuccessExitStatus= of the unit knows.
        assertThat(service.waitFor()).isEqualTo(143);
    }

    @Test
    void hasUnitsThatSystemdUnderstands() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/systemd-analyze")), "systemd-analyze is not installed (Debian: systemd)");
        for (String scope : new String[] {"--system", "--user"}) {
            Path units = Files.createDirectory(directory.resolve("units" + scope));
            Path from = Path.of(System.getProperty("packaging"), "systemd", scope.equals("--user") ? "user" : "");
            for (String name : new String[] {"process-checkpoint.socket", "process-checkpoint.service"}) {
                // Its own check looks for the program, which need not be where Debian has it.
                Files.writeString(units.resolve(name), Files.readString(from.resolve(name)).replace("/usr/bin/java", Path.of(System.getProperty("java.home"), "bin/java").toString()));
            }
            ProcessBuilder builder = new ProcessBuilder("systemd-analyze", scope, "verify", units + "/process-checkpoint.socket",
                    units + "/process-checkpoint.service").redirectErrorStream(true);
            builder.environment().put("XDG_RUNTIME_DIR", directory.toString());
            Process verify = builder.start();
            String said = new String(verify.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(verify.waitFor()).as(said).isZero();
            assertThat(said.lines().filter(line -> line.contains("process-checkpoint"))).isEmpty();
        }
    }
}
