// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import static io.jenkins.plugins.checkpoint.rpc.ServiceFixture.ask;
import static io.jenkins.plugins.checkpoint.rpc.ServiceFixture.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.jenkins.plugins.checkpoint.TestProcess;
import io.jenkins.plugins.checkpoint.engine.Engines;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A service must outlive its clients and its engines. */
class CriuServiceTest {
    private static final byte[] VERSION = criu_req.newBuilder().setType(criu_req_type.VERSION).build().toByteArray();

    @TempDir
    private Path directory;
    private CriuService service;

    @BeforeEach
    void start() throws IOException {
        service = start(Engines.pcr(ServiceFixture.echo(directory)), ServiceOptions.DEFAULT);
    }

    @AfterEach
    void stop() throws IOException {
        service.close();
    }

    private CriuService start(Engine engine, ServiceOptions options) throws IOException {
        return CriuService.start(RpcAddress.of(directory.resolve("socket" + System.nanoTime())), engine, options);
    }

    static Stream<byte[]> nonsense() {
        return Stream.of("hello, world".getBytes(StandardCharsets.US_ASCII), new byte[] {(byte) 0xff}, new byte[5000], new byte[] {8}, new byte[] {8, 99},
                new byte[] {8, 0}, new byte[] {18, 2, 16, 1}, new byte[] {8, 1, 18, 2, 16, 1}, new byte[] {8, 6}, new byte[200_000]);
    }

    @ParameterizedTest
    @MethodSource("nonsense")
    void answersNonsenseAndGoesOn(byte[] packet) throws IOException {
        try (SeqPacketSocket socket = connect(service)) {
            criu_resp response = ask(socket, packet);
            assertThat(response.getType()).isEqualTo(criu_req_type.EMPTY);
            assertThat(response.getSuccess()).isFalse();
            assertThat(response.getCrErrmsg()).isNotBlank();
            assertThat(response.getCrErrno()).isPositive();
            assertThat(ask(socket, VERSION).getSuccess()).isTrue();
        }
    }

    @Test
    void saysWhatIsWrong() throws IOException {
        try (SeqPacketSocket socket = connect(service)) {
            assertThat(ask(socket, new byte[] {8, 99}).getCrErrmsg()).contains("unknown request type 99");
            assertThat(ask(socket, new byte[] {8, 1, 18, 2, 16, 1}).getCrErrmsg()).contains("images_dir_fd");
            assertThat(ask(socket, new byte[200_000]).getCrErrmsg()).contains("larger than 65536 bytes");
        }
    }

    @Test
    void answersAnEmptyPacket() throws Exception {
        Process python = new ProcessBuilder(TestProcess.PYTHON, "-c", "import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                + "s.connect(sys.argv[1])\ns.send(b'')\nr = s.recv(999)\nassert r.startswith(bytes([8, 0, 16, 0])) and b'empty request' in r, r",
                service.address().toString()).inheritIO().start();
        assertThat(python.waitFor()).isZero();
        try (SeqPacketSocket socket = connect(service)) {
            assertThat(ask(socket, VERSION).getSuccess()).isTrue();
        }
    }

    @Test
    void bearsClientsThatSayNothingOrLeave() throws IOException {
        List<SeqPacketSocket> silent = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            silent.add(connect(service));
            connect(service).close();
        }
        try (SeqPacketSocket gone = connect(service)) {
            gone.send(VERSION);
        }
        try (SeqPacketSocket socket = connect(service)) {
            assertThat(ask(socket, VERSION).getSuccess()).isTrue();
        }
        for (SeqPacketSocket socket : silent) {
            assertThat(ask(socket, VERSION).getSuccess()).isTrue();
            socket.close();
        }
    }

    @Test
    void hangsUpOnTheSilentOnes() throws IOException {
        ServiceOptions hasty = ServiceOptions.DEFAULT.withPatience(Duration.ofMillis(100), Duration.ofMillis(100), Duration.ofMillis(100));
        try (CriuService other = start(Engines.pcr(ServiceFixture.echo(directory)), hasty); SeqPacketSocket socket = connect(other)) {
            assertThat(socket.receive(Duration.ofSeconds(60))).isEmpty();
        }
    }

    @Test
    void turnsAwayWhatIsTooMuch() throws IOException {
        ServiceOptions small = ServiceOptions.DEFAULT.withLimits(2, 2, 2, 2);
        try (CriuService other = start(Engines.pcr(ServiceFixture.echo(directory)), small)) {
            try (SeqPacketSocket one = connect(other); SeqPacketSocket two = connect(other); SeqPacketSocket three = connect(other)) {
                assertThat(criu_resp.parseFrom(three.receive(Duration.ofSeconds(60))).getCrErrmsg()).contains("too many connections");
                assertThat(ask(one, VERSION).getSuccess()).isTrue();
                assertThat(ask(two, VERSION).getSuccess()).isTrue();
            }
            await().until(() -> {
                try (SeqPacketSocket later = connect(other)) {
                    return ask(later, VERSION).getSuccess();
                }
            });
        }
    }

    @Test
    void relaysRequestsToTheEngine() throws IOException {
        criu_resp response = ask(service, criu_req.newBuilder().setType(criu_req_type.CHECK).build());
        assertThat(response).isEqualTo(criu_resp.newBuilder().setType(criu_req_type.CHECK).setSuccess(true).build());
    }

    @Test
    void tellsTheEngineWhoAsks() throws IOException {
        Path engine = ServiceFixture.script(directory, "tell", "s = socket.socket(fileno=0)\ns.recv(9999)\n"
                + "t = ' '.join(sys.argv[1:]).encode()\ns.send(bytes([8, 3, 16, 0, 0x4a, len(t)]) + t)\n");
        try (CriuService other = start(Engines.pcr(engine), ServiceOptions.DEFAULT)) {
            criu_resp response = ask(other, criu_req.newBuilder().setType(criu_req_type.CHECK).build());
            assertThat(response.getCrErrmsg())
                    .matches("swrk 0 --progress-fd 1 --peer " + ProcessHandle.current().pid() + ":\\d+:\\d+:\\d+:[1-9]\\d*");
        }
    }

    @Test
    void reportsAnEngineThatDies() throws IOException {
        Path engine = ServiceFixture.script(directory, "die", "socket.socket(fileno=0).recv(9999)\nprint('the disk is full', flush=True)\nos.kill(os.getpid(), 9)\n");
        try (CriuService other = start(Engines.pcr(engine), ServiceOptions.DEFAULT)) {
            criu_resp response = ask(other, criu_req.newBuilder().setType(criu_req_type.CHECK).build());
            assertThat(response.getType()).isEqualTo(criu_req_type.CHECK);
            assertThat(response.getSuccess()).isFalse();
            assertThat(response.getCrErrmsg()).contains("ended without an answer to CHECK", "killed by signal 9", "the disk is full");
        }
        assertNoZombies();
    }

    @Test
    void reportsAnEngineThatNeverWorked() throws IOException {
        try (CriuService other = start(Engines.pcr(Path.of("/bin/false")), ServiceOptions.DEFAULT)) {
            assertThat(ask(other, criu_req.newBuilder().setType(criu_req_type.CHECK).build()).getCrErrmsg()).contains("exited with status 1");
        }
        assertNoZombies();
    }

    @Test
    void letsTheEngineFinishForAClientThatIsGone() throws IOException {
        Path done = directory.resolve("done");
        Path engine = ServiceFixture.script(directory, "slow", "s = socket.socket(fileno=0)\ns.recv(9999)\nopen('" + directory + "/begun', 'w').close()\n"
                + "while not os.path.exists('" + directory + "/go'): time.sleep(0.01)\ns.send(bytes([8, 3, 16, 1]))\nopen('" + done + "', 'w').close()\n");
        try (CriuService other = start(Engines.pcr(engine), ServiceOptions.DEFAULT)) {
            try (SeqPacketSocket socket = connect(other)) {
                socket.send(criu_req.newBuilder().setType(criu_req_type.CHECK).build().toByteArray());
                await().until(() -> Files.exists(directory.resolve("begun")));
            }
            Files.createFile(directory.resolve("go"));
            await().until(() -> Files.exists(done));
        }
        assertNoZombies();
    }

    @Test
    void carriesNotificationsBothWays() throws IOException {
        // NOTIFY with script "pre-dump", then what the client said to it: field 3, notify_success.
        Path engine = ServiceFixture.script(directory, "notify", "s = socket.socket(fileno=0)\ns.recv(9999)\nn = b'pre-dump'\n"
                + "s.send(bytes([8, 6, 16, 1, 0x2a, len(n) + 2, 10, len(n)]) + n)\nr = s.recv(9999)\ns.send(bytes([8, 3, 16, r[r.index(24) + 1]]))\n");
        try (CriuService other = start(Engines.pcr(engine), ServiceOptions.DEFAULT)) {
            for (boolean agree : new boolean[] {true, false}) {
                List<String> scripts = new ArrayList<>();
                try (CriuClient client = CriuClient.connect(other.address())) {
                    criu_resp response = client.call(criu_req.newBuilder().setType(criu_req_type.CHECK).build(), notification -> {
                        scripts.add(notification.getNotify().getScript());
                        return agree;
                    });
                    assertThat(response.getSuccess()).isEqualTo(agree);
                }
                assertThat(scripts).containsExactly("pre-dump");
            }
        }
    }

    @Test
    void keepsTheEngineForAClientThatAsksForIt() throws IOException {
        Path engine = ServiceFixture.script(directory, "count", "s = socket.socket(fileno=0)\nn = 0\nwhile s.recv(9999):\n    n += 1\n"
                + "    s.send(bytes([8, 3, 16, 1, 0x58, n]))\n");
        criu_req.Builder check = criu_req.newBuilder().setType(criu_req_type.CHECK);
        try (CriuService other = start(Engines.pcr(engine), ServiceOptions.DEFAULT); SeqPacketSocket socket = connect(other)) {
            assertThat(ask(socket, check.setKeepOpen(true).build().toByteArray()).getStatus()).isEqualTo(1);
            assertThat(ask(socket, check.setKeepOpen(false).build().toByteArray()).getStatus()).isEqualTo(2);
            assertThat(ask(socket, check.build().toByteArray()).getStatus()).isEqualTo(1);
        }
    }

    @Test
    void servesAbstractAddresses() throws Exception {
        String name = "process-checkpoint-test-" + ProcessHandle.current().pid();
        try (CriuService other = CriuService.start(new RpcAddress("@" + name), Engines.pcr(ServiceFixture.echo(directory)), ServiceOptions.DEFAULT)) {
            Process python = new ProcessBuilder(TestProcess.PYTHON, "-c", "import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                    + "s.connect('\\0' + sys.argv[1])\ns.send(bytes([8, 3]))\nassert s.recv(99) == bytes([8, 3, 16, 1])", name).inheritIO().start();
            assertThat(python.waitFor()).isZero();
            assertThat(other.address().isAbstract()).isTrue();
        }
    }

    @Test
    void takesOverAStaleSocketButNoLiveOneAndNoFile() throws IOException {
        RpcAddress address = service.address();
        assertThatThrownBy(() -> CriuService.start(address, Engines.pcr(Path.of("/bin/false")), ServiceOptions.DEFAULT))
                .hasMessageContaining("process " + ProcessHandle.current().pid() + " listens there already");
        Path file = Files.createFile(directory.resolve("file"));
        assertThatThrownBy(() -> CriuService.start(RpcAddress.of(file), Engines.pcr(Path.of("/bin/false")), ServiceOptions.DEFAULT))
                .hasMessageContaining("not a socket");
        assertThat(file).exists();
        Path stale = directory.resolve("stale");
        ServiceFixture.script(directory, "bind", "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\ns.bind('" + stale + "')\n");
        assertThat(wait(new ProcessBuilder(directory.resolve("bind").toString()))).isZero();
        CriuService.start(RpcAddress.of(stale), Engines.pcr(Path.of("/bin/false")), ServiceOptions.DEFAULT).close();
        assertThat(stale).doesNotExist();
    }

    @Test
    void checksTheImagesDirectory() throws IOException {
        criu_opts.Builder options = criu_opts.newBuilder().setImagesDirFd(9999);
        criu_req.Builder request = criu_req.newBuilder().setType(criu_req_type.RESTORE);
        assertThat(ask(service, request.setOpts(options).build()).getCrErrmsg()).contains("images_dir_fd 9999 is not open in the client");
        assertThat(ask(service, request.setOpts(options.setImagesDirFd(0)).build()).getCrErrmsg()).contains("images_dir_fd 0").contains("not a directory");
        assertThat(ask(service, request.setOpts(options.setImagesDirFd(-1)).build()).getCrErrmsg()).contains("-1 is not a descriptor");
        assertThat(ask(service, request.clearOpts().build()).getCrErrmsg()).contains("lacks opts");
        assertThat(ask(service, request.setOpts(options.setImagesDir("/tmp").setRstSibling(true)).build()).getCrErrmsg()).contains("rst_sibling");
    }

    private static int wait(ProcessBuilder builder) throws IOException {
        try {
            return builder.inheritIO().start().waitFor();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static void assertNoZombies() {
        await().untilAsserted(() -> {
            for (ProcessHandle child : ProcessHandle.current().children().toList()) {
                assertThat(ProcessStatus.of((int) child.pid()).map(ProcessStatus::state)).isNotEqualTo(Optional.of('Z'));
            }
        });
    }
}
