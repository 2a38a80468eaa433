// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import static io.jenkins.plugins.checkpoint.rpc.ServiceFixture.ask;
import static io.jenkins.plugins.checkpoint.rpc.ServiceFixture.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.TestProcess;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_features;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_page_server_info;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each type of request goes through the service to the real engine and back. */
class RelayTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    private Path directory;
    private Path images;
    private CriuService service;

    @BeforeEach
    void start() throws IOException {
        service = CriuService.start(RpcAddress.of(directory.resolve("socket")), TestEngines.EMBEDDED.orSkip(), ServiceOptions.DEFAULT);
        images = Files.createDirectory(directory.resolve("images"));
    }

    @AfterEach
    void stop() throws IOException {
        if (service != null) {
            service.close();
        }
    }

    private criu_req.Builder request(criu_req_type type) {
        return criu_req.newBuilder().setType(type).setOpts(criu_opts.newBuilder().setImagesDirFd(-1).setImagesDir(images.toString()));
    }

    private criu_resp succeed(criu_req.Builder request) throws IOException {
        criu_resp response = ask(service, request.build());
        assertThat(response.getSuccess()).as("%s", response).isTrue();
        assertThat(response.getType()).isEqualTo(request.getType());
        return response;
    }

    private TestProcess sleeper() throws IOException {
        return TestProcess.start(directory, "ready()\nwhile True: time.sleep(0.01)\n");
    }

    @Test
    void answersQuestions() throws IOException {
        assertThat(succeed(criu_req.newBuilder().setType(criu_req_type.VERSION)).getVersion().getMajorNumber()).isPositive();
        succeed(criu_req.newBuilder().setType(criu_req_type.CHECK));
        assertThat(succeed(criu_req.newBuilder().setType(criu_req_type.FEATURE_CHECK).setFeatures(criu_features.newBuilder().setPidfdStore(true))).getFeatures()
                .getPidfdStore()).isTrue();
        succeed(request(criu_req_type.CPUINFO_DUMP));
        assertThat(images.resolve("cpuinfo.img")).isNotEmptyFile();
        succeed(request(criu_req_type.CPUINFO_CHECK));
    }

    @Test
    void givesErrorNumbersAsCriuDoes() throws IOException {
        assertThat(ask(service, request(criu_req_type.DUMP).setOpts(request(criu_req_type.DUMP).getOptsBuilder().setPid(4194303)).build()).getCrErrno())
                .isEqualTo(Errno.ESRCH.number());
        assertThat(ask(service, criu_req.newBuilder().setType(criu_req_type.DUMP).build()).getCrErrno()).isEqualTo(Errno.EBADRQC.number());
        try (SeqPacketSocket socket = connect(service)) {
            assertThat(ask(socket, "no request".getBytes()).getCrErrno()).isEqualTo(Errno.EBADRQC.number());
        }
        try (TestProcess process = sleeper()) {
            criu_req.Builder dump = request(criu_req_type.DUMP);
            dump.getOptsBuilder().setPid(process.pid()).setLeaveRunning(true);
            succeed(dump);
            criu_resp taken = ask(service, request(criu_req_type.RESTORE).build());
            assertThat(taken.getCrErrno()).as("%s", taken).isEqualTo(Errno.EEXIST.number());
            assertThat(taken.getCrErrmsg()).contains(Integer.toString(process.pid()));
        }
    }

    @Test
    void preDumpsThenDumpsThenRestores() throws Exception {
        try (TestProcess process = sleeper()) {
            Path before = Files.createDirectory(directory.resolve("before"));
            criu_req.Builder pre = request(criu_req_type.PRE_DUMP);
            pre.getOptsBuilder().setPid(process.pid()).setTrackMem(true).setImagesDir(before.toString());
            succeed(pre);
            assertThat(process.process().isAlive()).isTrue();
            criu_req.Builder single = request(criu_req_type.SINGLE_PRE_DUMP);
            Path second = Files.createDirectory(directory.resolve("second"));
            single.getOptsBuilder().setPid(process.pid()).setTrackMem(true).setParentImg("../before").setImagesDir(second.toString());
            succeed(single);
            criu_req.Builder dump = request(criu_req_type.DUMP);
            dump.getOptsBuilder().setPid(process.pid()).setTrackMem(true).setParentImg("../second");
            succeed(dump);
            process.process().waitFor();
            assertThat(succeed(request(criu_req_type.RESTORE)).getRestore().getPid()).isEqualTo(process.pid());
        }
    }

    @Test
    void waitsForWhatItRestored() throws Exception {
        try (TestProcess process = TestProcess.start(directory, "ready()\nwhile not os.path.exists('" + directory + "/go'): time.sleep(0.01)\nos._exit(7)\n")) {
            criu_req.Builder dump = request(criu_req_type.DUMP);
            dump.getOptsBuilder().setPid(process.pid());
            succeed(dump);
            process.process().waitFor();
            try (SeqPacketSocket socket = connect(service)) {
                criu_resp restored = ask(socket, request(criu_req_type.RESTORE).setKeepOpen(true).build().toByteArray());
                assertThat(restored.getSuccess()).as("%s", restored).isTrue();
                Files.createFile(directory.resolve("go"));
                criu_resp waited = ask(socket, criu_req.newBuilder().setType(criu_req_type.WAIT_PID).setPid(process.pid()).build().toByteArray());
                assertThat(waited.getSuccess()).as("%s", waited).isTrue();
                // wait(2): exit status in the second byte.
                assertThat(waited.getStatus()).isEqualTo(7 << 8);
            }
        }
    }

    @Test
    void tellsOfEachStageAndTakesNoForAnAnswer() throws IOException {
        try (TestProcess process = sleeper(); CriuClient client = CriuClient.connect(service.address())) {
            List<String> stages = new ArrayList<>();
            criu_req.Builder dump = request(criu_req_type.DUMP);
            dump.getOptsBuilder().setPid(process.pid()).setNotifyScripts(true).setLeaveRunning(true);
            criu_resp refused = client.call(dump.build(), notification -> {
                stages.add(notification.getNotify().getScript());
                return !notification.getNotify().getScript().equals("post-dump");
            });
            assertThat(stages).startsWith("pre-dump").endsWith("post-dump");
            assertThat(refused.getSuccess()).isFalse();
            assertThat(refused.getCrErrmsg()).contains("post-dump");
            assertThat(process.state()).isIn('R', 'S');
            assertThat(images.resolve("inventory.img")).doesNotExist();
            assertThat(client.call(dump.build()).getSuccess()).isTrue();
        }
    }

    @Test
    void startsAPageServerThatEndsWithItsClient() throws Exception {
        try (SeqPacketSocket socket = connect(service)) {
            criu_req.Builder server = request(criu_req_type.PAGE_SERVER_CHLD).setKeepOpen(true);
            server.getOptsBuilder().setPs(criu_page_server_info.newBuilder().setAddress("127.0.0.1").setPort(0));
            criu_resp started = ask(socket, server.build().toByteArray());
            assertThat(started.getSuccess()).as("%s", started).isTrue();
            int pid = started.getPs().getPid();
            assertThat(ProcessStatus.of(pid)).isPresent();
            new Socket("127.0.0.1", started.getPs().getPort()).close();
            criu_resp waited = ask(socket, criu_req.newBuilder().setType(criu_req_type.WAIT_PID).setPid(pid).build().toByteArray());
            assertThat(waited.getSuccess()).as("%s", waited).isTrue();
            await().atMost(PATIENCE).until(() -> ProcessStatus.of(pid).isEmpty());
        }
    }
}
