// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.TestProcess;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A real process goes through a real service and a real engine. */
class DumpRestoreTest {
    // Counts for as long as it lives, into a file.
    private static final String COUNTER = """
            f = open(os.path.join(os.path.dirname(os.environ['READY']), 'count'), 'w')
            n = 0
            while True:
                n += 1
                f.write('%d\\n' % n)
                f.flush()
                if n == 5: ready()
                time.sleep(0.01)
            """;

    @TempDir
    private Path directory;

    private CriuService start(Engine engine) throws IOException {
        return CriuService.start(RpcAddress.of(directory.resolve("socket")), engine, ServiceOptions.DEFAULT);
    }

    private int count() throws IOException {
        return Files.readAllLines(directory.resolve("count")).size();
    }

    /** The wire form of 2013, byte by byte: whoever wrote it knew no field later than log_level. */
    private static byte[] rawDump(int imagesDirFd, int pid) {
        ByteArrayOutputStream options = new ByteArrayOutputStream();
        for (int[] field : new int[][] {{1, imagesDirFd}, {2, pid}, {3, 1}, {4, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 4}}) {
            options.write(field[0] << 3);
            int value = field[1];
            for (; value > 0x7f; value >>>= 7) {
                options.write(value & 0x7f | 0x80);
            }
            options.write(value);
        }
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        // type = 1: DUMP; then field 2, its length, and the options.
        request.writeBytes(new byte[] {1 << 3, 1, 2 << 3 | 2, (byte) options.size()});
        request.writeBytes(options.toByteArray());
        return request.toByteArray();
    }

    @ParameterizedTest
    @EnumSource(TestEngines.class)
    void dumpsForAClientOf2013(TestEngines kind) throws IOException {
        Engine engine = kind.orSkip();
        Path images = Files.createDirectory(directory.resolve("images"));
        try (TestProcess process = TestProcess.start(directory, COUNTER); CriuService service = start(engine);
                DirectoryDescriptor descriptor = DirectoryDescriptor.open(images); SeqPacketSocket socket = ServiceFixture.connect(service)) {
            socket.send(rawDump(descriptor.number(), process.pid()));
            byte[] answer = socket.receive(Duration.ofMinutes(2));
            criu_resp response = criu_resp.parseFrom(answer);
            assertThat(response.getSuccess()).as("%s", response).isTrue();
            // Field 1 is the type, DUMP; field 2 success, true.
            assertThat(answer).startsWith(8, 1, 16, 1);
            assertThat(images.resolve("core-" + process.pid() + ".img")).isRegularFile();
            int then = count();
            await().until(() -> count() > then);
        }
    }

    @ParameterizedTest
    @EnumSource(TestEngines.class)
    void bringsBackWhatItDumped(TestEngines kind) throws Exception {
        Engine engine = kind.orSkip();
        Path images = Files.createDirectory(directory.resolve("images"));
        try (TestProcess process = TestProcess.start(directory, COUNTER); CriuService service = start(engine)) {
            try (CriuClient client = CriuClient.connect(service.address())) {
                client.dump(process.pid(), images, options -> options.setLogLevel(4).setLogFile("dump.log"));
            }
            process.process().waitFor();
            int then = count();
            try (CriuClient client = CriuClient.connect(service.address())) {
                int pid = client.restore(images, options -> options.setLogLevel(4).setLogFile("restore.log"));
                assertThat(pid).isEqualTo(process.pid());
            }
            await().until(() -> count() > then + 5);
            int i = 0;
            for (String line : Files.readAllLines(directory.resolve("count"))) {
                assertThat(line).isEqualTo(Integer.toString(++i));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TestEngines.class)
    void leavesTheProcessAloneWhenTheDumpFails(TestEngines kind) throws IOException {
        Engine engine = kind.orSkip();
        Path images = Files.createDirectory(directory.resolve("images"));
        // A socket connected to a process outside of the tree cannot be dumped.
        String script = "import socket\na, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)\nif os.fork() != 0:\n    a.close()\n    ready()\n"
                + "    time.sleep(1000)\nb.close()\n" + COUNTER.replace("ready()", "pass");
        try (TestProcess parent = TestProcess.start(directory, script); CriuService service = start(engine)) {
            int child = (int) ProcessHandle.of(parent.pid()).orElseThrow().children().findFirst().orElseThrow().pid();
            try (CriuClient client = CriuClient.connect(service.address())) {
                assertThatThrownBy(() -> client.dump(child, images, options -> options.setShellJob(true))).isInstanceOf(CriuException.class);
            }
            int then = count();
            await().until(() -> count() > then);
            assertThat(ProcessStatus.of(child).orElseThrow().tracer()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(TestEngines.class)
    void reportsADirectoryWithoutImages(TestEngines kind) throws IOException {
        Engine engine = kind.orSkip();
        Path images = Files.createDirectory(directory.resolve("images"));
        try (CriuService service = start(engine)) {
            try (CriuClient client = CriuClient.connect(service.address())) {
                assertThatThrownBy(() -> client.restore(images, options -> {})).isInstanceOf(CriuException.class);
            }
            criu_req missing = criu_req.newBuilder().setType(criu_req_type.RESTORE)
                    .setOpts(criu_opts.newBuilder().setImagesDirFd(-1).setImagesDir(directory + "/nowhere")).build();
            assertThat(ServiceFixture.ask(service, missing).getSuccess()).isFalse();
        }
    }
}
