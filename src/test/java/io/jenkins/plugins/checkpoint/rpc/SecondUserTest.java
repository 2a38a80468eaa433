// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.TestProcess;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A service that runs as root with the real engine, and a plain user who wants more than what is its own. */
class SecondUserTest {
    // Unlikely to be anybody's, so that nothing but this test's processes is within its reach.
    private static final int USER = 64123;
    private static final String[] AS_USER = {"setpriv", "--reuid=" + USER, "--regid=" + USER, "--clear-groups"};
    private static final int IMAGES_DIR_FD = 100;
    // Opens the images directory under that number, sends the packet in hex, prints the answer in hex.
    private static final String CLIENT = "import os, socket, sys\nos.dup2(os.open(sys.argv[3], os.O_RDONLY), " + IMAGES_DIR_FD + ")\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\ns.connect(sys.argv[1])\n"
            + "s.send(bytes.fromhex(sys.argv[2]))\nprint(s.recv(65536).hex())\n";
    private static final String SECRET = "secret of root";

    @TempDir
    private Path directory;
    private Path images;
    private Path secret;
    private CriuService service;

    @BeforeEach
    void start() throws IOException {
        service = CriuService.start(RpcAddress.of(directory.resolve("socket")), TestEngines.EMBEDDED.orSkip(), ServiceOptions.DEFAULT);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        images = owned(Files.createDirectory(directory.resolve("images")));
        secret = Files.writeString(directory.resolve("secret"), SECRET);
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
    }

    @AfterEach
    void stop() throws IOException {
        if (service != null) {
            service.close();
        }
        assertThat(Files.readString(secret)).isEqualTo(SECRET);
    }

    private static Path owned(Path path) throws IOException {
        Files.setAttribute(path, "unix:uid", USER, LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(path, "unix:gid", USER, LinkOption.NOFOLLOW_LINKS);
        return path;
    }

    private criu_resp askAsUser(criu_req request) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(AS_USER).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.command().addAll(List.of(TestProcess.PYTHON, "-c", CLIENT, service.address().toString(), HexFormat.of().formatHex(request.toByteArray()),
                images.toString()));
        String answer = new String(builder.start().getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
        return criu_resp.parseFrom(HexFormat.of().parseHex(answer));
    }

    private static criu_req.Builder request(criu_req_type type, criu_opts.Builder options) {
        return criu_req.newBuilder().setType(type).setOpts(options.hasImagesDirFd() ? options : options.setImagesDirFd(IMAGES_DIR_FD));
    }

    private criu_resp dump(int pid, criu_opts.Builder options) throws IOException {
        return askAsUser(request(criu_req_type.DUMP, options.setPid(pid)).build());
    }

    private criu_resp restore() throws IOException {
        return askAsUser(request(criu_req_type.RESTORE, criu_opts.newBuilder().setLogFile("restore.log").setLogLevel(4)).build());
    }

    private void assertRefused(criu_resp response, String... words) {
        assertThat(response.getSuccess()).as("%s", response).isFalse();
        assertThat(response.getCrErrmsg()).contains(words);
    }

    private TestProcess counter() throws IOException {
        return TestProcess.start(owned(Files.createDirectories(directory.resolve("own"))),
                "os.chdir('/')\nout = os.open('" + directory + "/own/out', os.O_WRONLY | os.O_CREAT)\nos.dup2(out, 1)\nos.dup2(out, 2)\n"
                        + "f = open('" + directory + "/own/count', 'w')\nn = 0\nwhile True:\n    n += 1\n    f.write('%d\\n' % n)\n    f.flush()\n    if n == 5: ready()\n"
                        + "    time.sleep(0.01)\n", AS_USER);
    }

    private int count() throws IOException {
        return Files.readAllLines(directory.resolve("own/count")).size();
    }

    private int dumped() throws Exception {
        try (TestProcess process = counter()) {
            criu_resp response = dump(process.pid(), criu_opts.newBuilder().setLogLevel(4).setLogFile("dump.log"));
            assertThat(response.getSuccess()).as("%s", response).isTrue();
            process.process().waitFor();
            return process.pid();
        }
    }

    @Test
    void dumpsAndRestoresWhatIsItsOwn() throws Exception {
        int pid = dumped();
        try (Stream<Path> files = Files.list(images)) {
            for (Path file : files.toList()) {
                assertThat(Files.getAttribute(file, "unix:uid")).as("%s", file).isEqualTo(USER);
            }
        }
        int then = count();
        criu_resp response = restore();
        assertThat(response.getSuccess()).as("%s", response).isTrue();
        assertThat(response.getRestore().getPid()).isEqualTo(pid);
        try {
            await().until(() -> count() > then + 5);
            ProcessStatus status = ProcessStatus.of(pid).orElseThrow();
            assertThat(status.belongsTo(USER, USER)).isTrue();
            // Nothing of what the engine may stays behind.
            assertThat(Files.readString(Path.of("/proc/" + pid + "/status"))).contains("CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
                    "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000");
        } finally {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    @Test
    void getsNobodyElsesProcess() throws IOException {
        try (TestProcess process = TestProcess.start(directory, "ready()\ntime.sleep(1000)\n")) {
            assertRefused(dump(process.pid(), criu_opts.newBuilder()), "belongs to uid 0");
            assertThat(process.state()).isEqualTo('S');
        }
        assertThat(images).isEmptyDirectory();
    }

    @Test
    void writesThroughNoLinkAndIntoNoForeignDirectory() throws Exception {
        try (TestProcess process = counter()) {
            Files.createSymbolicLink(images.resolve("dump.log"), secret);
            assertRefused(dump(process.pid(), criu_opts.newBuilder().setLogFile("dump.log")), "dump.log");
            Files.delete(images.resolve("dump.log"));
            // A hard link, if the kernel lets the user make one.
            Files.createLink(images.resolve("dump.log"), secret);
            assertRefused(dump(process.pid(), criu_opts.newBuilder().setLogFile("dump.log")), "dump.log");
            Files.delete(images.resolve("dump.log"));
            assertRefused(dump(process.pid(), criu_opts.newBuilder().setLogFile("../secret")), "plain name");
            new ProcessBuilder("mkfifo", images.resolve("dump.log").toString()).start().waitFor();
            assertRefused(dump(process.pid(), criu_opts.newBuilder().setLogFile("dump.log")), "dump.log");
            Files.delete(images.resolve("dump.log"));
            // Images themselves: links planted under their names are replaced, never followed.
            Files.createSymbolicLink(images.resolve("pstree.img"), secret);
            Files.createSymbolicLink(images.resolve("inventory.img"), secret);
            assertThat(dump(process.pid(), criu_opts.newBuilder().setLeaveRunning(true)).getSuccess()).isTrue();
            assertThat(Files.isSymbolicLink(images.resolve("pstree.img"))).isFalse();
            Path foreign = Files.createDirectory(directory.resolve("foreign"), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
            assertRefused(dump(process.pid(), criu_opts.newBuilder().setImagesDirFd(-1).setImagesDir(foreign.toString())), "ermission denied");
            assertThat(foreign).isEmptyDirectory();
            Path closed = Files.createDirectory(directory.resolve("closed"), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            assertRefused(dump(process.pid(), criu_opts.newBuilder().setImagesDirFd(-1).setImagesDir(closed.toString())), "images_dir");
            assertRefused(dump(process.pid(), criu_opts.newBuilder().setConfigFile(secret.toString())), secret.toString());
            int then = count();
            await().until(() -> count() > then);
        }
    }

    @Test
    void neverWritesElsewhereWhileItSwapsTheDirectory() throws Exception {
        Path foreign = Files.createDirectory(directory.resolve("foreign"), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Path mine = owned(Files.createDirectory(directory.resolve("mine")));
        Path name = directory.resolve("swapped");
        Files.createSymbolicLink(name, mine);
        Thread swapper = new Thread(() -> {
            try {
                for (int i = 0; !Thread.currentThread().isInterrupted(); i++) {
                    Path temporary = directory.resolve("link");
                    Files.createSymbolicLink(temporary, i % 2 == 0 ? foreign : mine);
                    Files.move(temporary, name, StandardCopyOption.ATOMIC_MOVE);
                }
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        try (TestProcess process = counter()) {
            swapper.start();
            boolean written = false;
            for (int i = 0; i < 40; i++) {
                written |= dump(process.pid(), criu_opts.newBuilder().setImagesDirFd(-1).setImagesDir(name.toString()).setLeaveRunning(true)).getSuccess();
            }
            assertThat(written).as("one of 40 dumps hits its own directory").isTrue();
            assertThat(foreign).isEmptyDirectory();
        } finally {
            swapper.interrupt();
            swapper.join();
        }
    }

    @Test
    void restoresNoImagesOfAnotherUser() throws Exception {
        dumped();
        Path core;
        try (Stream<Path> files = Files.list(images)) {
            core = files.filter(file -> file.getFileName().toString().startsWith("core-")).findFirst().orElseThrow();
        }
        Files.setAttribute(core, "unix:uid", 0);
        Files.setPosixFilePermissions(core, PosixFilePermissions.fromString("rw-rw-rw-"));
        assertRefused(restore(), core.getFileName().toString());
        Files.delete(core);
        Files.createSymbolicLink(core, secret);
        assertRefused(restore(), core.getFileName().toString());
    }

    @Test
    void becomesNobodyElseByWayOfImages() throws Exception {
        int pid = dumped();
        String unharmed = "core-" + pid + ".img";
        byte[] core = Files.readAllBytes(images.resolve(unharmed));
        for (HostileCredentials hostile : HostileCredentials.values()) {
            Files.write(images.resolve(unharmed), hostile.applyTo(core));
            criu_resp response = restore();
            if (response.getSuccess()) {
                ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
            }
            assertThat(response.getSuccess()).as("%s: %s", hostile, response).isFalse();
            assertThat(ProcessHandle.of(pid)).as("%s leaves nothing behind", hostile).isEmpty();
        }
        Files.write(images.resolve(unharmed), core);
        assertThat(restore().getSuccess()).isTrue();
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }

    @Test
    void opensNothingElseByWayOfImages() throws Exception {
        int pid = dumped();
        Path image = images.resolve("files.img");
        String own = directory + "/own/count";
        // A name of the same length, so that no size in the image changes.
        Path same = directory.resolve("x".repeat(own.length() - directory.toString().length() - 1));
        Files.move(secret, same);
        String text = Files.readString(image, StandardCharsets.ISO_8859_1);
        assertThat(text).contains(own);
        Files.writeString(image, text.replace(own, same.toString()), StandardCharsets.ISO_8859_1);
        assertRefused(restore(), same.toString());
        assertThat(ProcessHandle.of(pid)).isEmpty();
        Files.move(same, secret);
    }

    @Test
    void doesNotTakeAProcessThatCameLater() throws Exception {
        // Somebody else's process under a pid that was the user's own when it asked: the engine is told what was looked at.
        try (TestProcess process = counter()) {
            ProcessStatus status = ProcessStatus.of(process.pid()).orElseThrow();
            EngineClient self = EngineClient.self();
            EngineClient late = new EngineClient(self.credentials(), self.startTime(), 0, process.pid(), status.startTime() - 1);
            try (EngineSession session = TestEngines.EMBEDDED.orSkip().open(late)) {
                session.send(request(criu_req_type.DUMP, criu_opts.newBuilder().setImagesDirFd(-1).setImagesDir(images.toString()).setPid(process.pid())).build());
                criu_resp response = criu_resp.parseFrom(session.receive());
                assertRefused(response, "another process has its pid now");
                assertThat(response.getCrErrno()).isEqualTo(Errno.ESRCH.number());
            }
            int then = count();
            await().until(() -> count() > then);
        }
    }

    // Holds a dump of its own at its first notification, and reaches for the engine meanwhile.
    private static final String ATTACKER = """
            import ctypes, os, socket, sys
            libc = ctypes.CDLL(None, use_errno=True)
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.connect(sys.argv[1])
            s.send(bytes.fromhex(sys.argv[2]))
            assert s.recv(65536)[:2] == bytes([8, 6])
            # A child of the service's thread that started it, whichever that is.
            tasks = '/proc/%s/task' % sys.argv[3]
            engines = [int(p) for t in os.listdir(tasks) for p in open('%s/%s/children' % (tasks, t)).read().split()]
            # Not its own processes, which this test has started as well.
            engines = [p for p in engines if open('/proc/%d/cmdline' % p).read().split(chr(0))[1:2] == ['swrk']]
            assert os.stat('/proc/%d' % engines[0]).st_uid == os.getuid()
            assert len(engines) == 1, engines
            libc.ptrace(0x4206, engines[0], None, None)
            print('seize', ctypes.get_errno())
            try: print('mem', open('/proc/%d/mem' % engines[0], 'rb'))
            except OSError as e: print('mem', e.errno)
            pidfd = os.pidfd_open(engines[0])
            libc.syscall(438, pidfd, 0, 0)
            print('getfd', ctypes.get_errno())
            """;

    @Test
    void doesNotGetHoldOfTheEngine() throws Exception {
        try (TestProcess process = counter()) {
            criu_req dump = request(criu_req_type.DUMP, criu_opts.newBuilder().setImagesDirFd(-1).setImagesDir(images.toString()).setPid(process.pid())
                    .setNotifyScripts(true)).build();
            ProcessBuilder builder = new ProcessBuilder(AS_USER).redirectErrorStream(true);
            builder.command().addAll(List.of(TestProcess.PYTHON, "-c", ATTACKER, service.address().toString(), HexFormat.of().formatHex(dump.toByteArray()),
                    Long.toString(ProcessHandle.current().pid())));
            String said = new String(builder.start().getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            // EPERM, EACCES, EPERM: the engine has a capability that the user has not.
            assertThat(said).isEqualTo("seize 1\nmem 13\ngetfd 1\n");
            // It hung up in the middle: the dump is taken back.
            await().until(() -> ProcessStatus.of(process.pid()).orElseThrow().tracer() == 0 && process.state() != 't');
            int then = count();
            await().until(() -> count() > then);
            assertThat(images.resolve("inventory.img")).doesNotExist();
        }
    }

    @Test
    void leavesNoDescriptorOfTheServiceInWhatItRestores() throws Exception {
        int pid;
        List<String> before;
        try (TestProcess process = counter()) {
            before = descriptors(process.pid());
            assertThat(dump(process.pid(), criu_opts.newBuilder()).getSuccess()).isTrue();
            process.process().waitFor();
            pid = process.pid();
        }
        try {
            assertThat(restore().getSuccess()).isTrue();
            assertThat(descriptors(pid)).isEqualTo(before);
        } finally {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    private static List<String> descriptors(int pid) throws IOException {
        try (Stream<Path> links = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            List<String> all = new ArrayList<>();
            for (Path link : links.sorted().toList()) {
                all.add(link.getFileName() + " " + Files.readSymbolicLink(link));
            }
            return all;
        }
    }
}
