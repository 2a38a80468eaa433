// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.TestProcess;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_features;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.inherit_fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Valid messages, mutated from a fixed seed, sent by a user who has nothing to lose: the service lives on, and nothing of others is harmed. */
class ServiceFuzzTest {
    private static final int MESSAGES = 1500;
    // Nobody's: a mutated pid must not hit a process that matters.
    private static final int USER = 64124;
    private static final String FUZZER = """
            import random, socket, sys
            path, count, corpus = sys.argv[1], int(sys.argv[2]), [bytes.fromhex(x) for x in sys.argv[3:]]
            chance = random.Random(20261124)
            def mutate(m):
                m = bytearray(m)
                for _ in range(chance.randint(1, 4)):
                    kind, at = chance.randint(0, 5), chance.randrange(len(m)) if m else 0
                    if kind == 0 and m: m[at] ^= 1 << chance.randint(0, 7)
                    elif kind == 1 and m: m[at] = chance.choice((0, 1, 0x7f, 0x80, 0xff))
                    elif kind == 2: m[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 12)))
                    elif kind == 3 and m: del m[at:at + chance.randint(1, 8)]
                    elif kind == 4: m += m[chance.randrange(len(m) or 1):]
                    else:
                        other = chance.choice(corpus)
                        m[at:] = other[chance.randrange(len(other)):]
                return bytes(m[:60000]) or b'\\0'
            answers = kept = 0
            s = None
            for i in range(count):
                if s is None:
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                    s.settimeout(60)
                    s.connect(path)
                s.send(mutate(chance.choice(corpus)))
                if chance.random() < 0.1:
                    # Does not wait for the answer.
                    s.close()
                    s = None
                    continue
                if s.recv(65536): answers += 1
                else: raise SystemExit('message %d: no answer' % i)
                if chance.random() < 0.3:
                    s.close()
                    s = None
            print(answers)
            """;

    @TempDir
    private Path directory;

    private static String hex(criu_req.Builder request) {
        return HexFormat.of().formatHex(request.build().toByteArray());
    }

    private List<String> corpus(int pid) {
        criu_opts.Builder options = criu_opts.newBuilder().setImagesDirFd(-1).setImagesDir(directory + "/images").setLogLevel(4).setLogFile("fuzz.log");
        List<String> corpus = new ArrayList<>();
        for (criu_req_type type : criu_req_type.values()) {
            corpus.add(hex(criu_req.newBuilder().setType(type)));
            // Not PAGE_SERVER, which listens on a port.
            if (type != criu_req_type.PAGE_SERVER && type != criu_req_type.PAGE_SERVER_CHLD) {
                corpus.add(hex(criu_req.newBuilder().setType(type).setOpts(options.setPid(pid))));
                corpus.add(hex(criu_req.newBuilder().setType(type).setKeepOpen(true).setPid(pid).setFeatures(criu_features.newBuilder().setMemTrack(true))
                        .setOpts(options.clone().setTrackMem(true).setParentImg("..").setWorkDirFd(0).setShellJob(true).addExternal("file[1:2]")
                                .addInheritFd(inherit_fd.newBuilder().setKey("x").setFd(1)).setGhostLimit(5).setTimeout(1).setConfigFile("/etc/shadow"))));
            }
        }
        return corpus;
    }

    @Test
    void livesOnAndHarmsNothing() throws Exception {
        Engine engine = TestEngines.EMBEDDED.orSkip();
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path images = Files.createDirectory(directory.resolve("images"));
        Files.setAttribute(images, "unix:uid", USER, LinkOption.NOFOLLOW_LINKS);
        // One request after another: the bystander's life is looked at, not the load.
        try (TestProcess bystander = TestProcess.start(directory, "ready()\nn = 0\nwhile True:\n    n += 1\n    open('" + directory
                + "/alive', 'w').write(str(n))\n    time.sleep(0.01)\n");
                CriuService service = CriuService.start(RpcAddress.of(directory.resolve("socket")), engine, ServiceOptions.DEFAULT)) {
            List<String> command = new ArrayList<>(List.of("setpriv", "--reuid=" + USER, "--regid=" + USER, "--clear-groups", TestProcess.PYTHON, "-c", FUZZER,
                    service.address().toString(), Integer.toString(MESSAGES)));
            command.addAll(corpus(bystander.pid()));
            Process fuzzer = new ProcessBuilder(command).redirectErrorStream(true).redirectInput(ProcessBuilder.Redirect.from(directory.resolve("alive").toFile()))
                    .start();
            String output = new String(fuzzer.getInputStream().readAllBytes());
            assertThat(fuzzer.waitFor()).as(output).isZero();
            assertThat(Integer.parseInt(output.strip())).isGreaterThan(MESSAGES / 2);
            try (CriuClient client = CriuClient.connect(service.address())) {
                assertThat(client.version().getSuccess()).isTrue();
            }
            assertThat(ProcessStatus.of(bystander.pid()).orElseThrow().tracer()).isZero();
            String then = Files.readString(directory.resolve("alive"));
            await().until(() -> !Files.readString(directory.resolve("alive")).equals(then));
            assertThat(images.resolve("inventory.img")).doesNotExist();
            // Engines end by themselves once their client is gone.
            await().until(() -> ProcessHandle.current().children().noneMatch(child -> command(child).contains("swrk")));
        }
    }

    private static String command(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline")).replace('\0', ' ');
        } catch (IOException e) {
            return "";
        }
    }
}
