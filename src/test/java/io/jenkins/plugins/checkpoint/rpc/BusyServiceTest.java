// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import static io.jenkins.plugins.checkpoint.rpc.ServiceFixture.ask;
import static io.jenkins.plugins.checkpoint.rpc.ServiceFixture.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many clients at once, with the real engine. A dump is held under way by a client that does not answer a notification yet. */
class BusyServiceTest {
    private static final byte[] VERSION = criu_req.newBuilder().setType(criu_req_type.VERSION).build().toByteArray();
    private static final byte[] AGREED = criu_req.newBuilder().setType(criu_req_type.NOTIFY).setNotifySuccess(true).build().toByteArray();
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    private Path directory;
    private final List<Process> targets = new ArrayList<>();
    private CriuService service;

    @BeforeEach
    void start() throws IOException {
        service = CriuService.start(RpcAddress.of(directory.resolve("socket")), TestEngines.EMBEDDED.orSkip(), ServiceOptions.DEFAULT);
    }

    @AfterEach
    void stop() throws IOException {
        if (service != null) {
            service.close();
        }
        targets.forEach(Process::destroyForcibly);
    }

    private int target() throws IOException {
        Process target = new ProcessBuilder("setsid", "sleep", "1000").redirectInput(new File("/dev/null")).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        targets.add(target);
        await().until(() -> ProcessStatus.of((int) target.pid()).orElseThrow().name().equals("sleep"));
        return (int) target.pid();
    }

    private byte[] dump(int pid, boolean notify) throws IOException {
        Path images = Files.createDirectories(directory.resolve("images-" + pid));
        return criu_req.newBuilder().setType(criu_req_type.DUMP).setOpts(criu_opts.newBuilder().setImagesDirFd(-1).setImagesDir(images.toString()).setPid(pid)
                .setLeaveRunning(true).setNotifyScripts(notify).setLogLevel(4).setLogFile("dump.log")).build().toByteArray();
    }

    private static criu_resp receive(SeqPacketSocket socket) throws IOException {
        return criu_resp.parseFrom(socket.receive(PATIENCE));
    }

    /** Starts a dump that is under way: frozen, and waiting for this client's word after everything is written. */
    private SeqPacketSocket held(int pid) throws IOException {
        SeqPacketSocket socket = connect(service);
        socket.send(dump(pid, true));
        for (criu_resp response = receive(socket); !response.getNotify().getScript().equals("post-dump"); response = receive(socket)) {
            assertThat(response.getType()).as("%s", response).isEqualTo(criu_req_type.NOTIFY);
            socket.send(AGREED);
        }
        return socket;
    }

    /** Says yes to all that is asked until the dump is over. */
    private static criu_resp finish(SeqPacketSocket socket) throws IOException {
        try (socket) {
            socket.send(AGREED);
            criu_resp response = receive(socket);
            while (response.getType() == criu_req_type.NOTIFY) {
                socket.send(AGREED);
                response = receive(socket);
            }
            return response;
        }
    }

    @Test
    void serves200ConnectionsWith50DumpsUnderWay() throws IOException {
        List<SeqPacketSocket> silent = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            silent.add(connect(service));
        }
        List<SeqPacketSocket> dumps = new ArrayList<>();
        List<Integer> pids = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            pids.add(target());
            dumps.add(held(pids.get(i)));
        }
        // All are under way, and whoever asks for something else is answered all the same.
        for (SeqPacketSocket socket : silent) {
            assertThat(ask(socket, VERSION).getSuccess()).isTrue();
            socket.close();
        }
        for (SeqPacketSocket socket : dumps) {
            criu_resp response = finish(socket);
            assertThat(response.getSuccess()).as("%s", response).isTrue();
        }
        Set<String> logs = new HashSet<>();
        for (int pid : pids) {
            Path images = directory.resolve("images-" + pid);
            assertThat(images.resolve("core-" + pid + ".img")).isNotEmptyFile();
            String log = Files.readString(images.resolve("dump.log"));
            assertThat(log).contains("dumping pid " + pid).doesNotContain("dumping pid " + (pid == pids.get(0) ? pids.get(1) : pids.get(0)));
            logs.add(log);
            await().until(() -> ProcessStatus.of(pid).orElseThrow().state() == 'S');
        }
        assertThat(logs).hasSize(50);
    }

    @Test
    void refusesDumpsOverTheLimitAndTakesThemLater() throws IOException {
        service.close();
        service = CriuService.start(RpcAddress.of(directory.resolve("socket")), TestEngines.EMBEDDED.orSkip(), ServiceOptions.DEFAULT.withLimits(10, 10, 1, 1));
        int first = target();
        int second = target();
        SeqPacketSocket under = held(first);
        try (SeqPacketSocket other = connect(service)) {
            criu_resp refusal = ask(other, dump(second, false));
            assertThat(refusal.getType()).isEqualTo(criu_req_type.DUMP);
            assertThat(refusal.getCrErrno()).isEqualTo(Errno.EAGAIN.number());
            assertThat(refusal.getCrErrmsg()).contains("too many dumps and restores under way", "1 at once");
            assertThat(ask(other, VERSION).getSuccess()).isTrue();
            assertThat(finish(under).getSuccess()).isTrue();
            await().untilAsserted(() -> assertThat(ask(other, dump(second, false)).getSuccess()).isTrue());
        }
    }

    @Test
    void takesBackADumpWhoseClientDoesNotAnswer() throws IOException {
        service.close();
        service = CriuService.start(RpcAddress.of(directory.resolve("socket")), TestEngines.EMBEDDED.orSkip(),
                ServiceOptions.DEFAULT.withPatience(PATIENCE, PATIENCE, Duration.ofMillis(300)));
        int pid = target();
        try (SeqPacketSocket socket = connect(service)) {
            socket.send(dump(pid, true));
            assertThat(receive(socket).getType()).isEqualTo(criu_req_type.NOTIFY);
            criu_resp response = receive(socket);
            assertThat(response.getCrErrno()).isEqualTo(Errno.ETIMEDOUT.number());
            assertThat(response.getCrErrmsg()).contains("no answer to NOTIFY pre-dump");
        }
        await().until(() -> ProcessStatus.of(pid).orElseThrow().state() == 'S' && ProcessStatus.of(pid).orElseThrow().tracer() == 0);
        assertThat(directory.resolve("images-" + pid + "/inventory.img")).doesNotExist();
    }

    @Test
    void letsRunningDumpsEndAndRefusesNewOnesWhenItStops() throws Exception {
        int pid = target();
        SeqPacketSocket early = connect(service);
        SeqPacketSocket under = held(pid);
        Thread stop = new Thread(() -> {
            try {
                service.stop(PATIENCE);
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        stop.start();
        await().untilAsserted(() -> {
            criu_resp refusal = ask(early, VERSION);
            assertThat(refusal.getCrErrno()).isEqualTo(Errno.ESHUTDOWN.number());
            assertThat(refusal.getCrErrmsg()).contains("is stopping");
        });
        try (SeqPacketSocket late = connect(service)) {
            assertThat(receive(late).getCrErrno()).isEqualTo(Errno.ESHUTDOWN.number());
        }
        assertThat(stop.isAlive()).isTrue();
        assertThat(finish(under).getSuccess()).isTrue();
        stop.join();
        assertThat(directory.resolve("socket")).doesNotExist();
        assertThat(early.receive(PATIENCE)).isEmpty();
        early.close();
    }
}
