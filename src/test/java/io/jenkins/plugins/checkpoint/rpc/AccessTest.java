// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import static io.jenkins.plugins.checkpoint.rpc.ServiceFixture.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.checkpoint.TestEngines;
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
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which processes may be dumped, and by whom: each that may not has its own message. */
class AccessTest {
    // Runs a client as nobody: sends the packet in hex, prints the answer in hex.
    private static final String CLIENT = "import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\ns.connect(sys.argv[1])\n"
            + "s.send(bytes.fromhex(sys.argv[2]))\nprint(s.recv(65536).hex())\n";
    private static final String[] AS_NOBODY = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    private static final String SLEEP = "ready()\ntime.sleep(1000)\n";

    @TempDir
    private Path directory;
    private CriuService service;

    @BeforeEach
    void start() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        service = CriuService.start(RpcAddress.of(directory.resolve("socket")), Engines.pcr(ServiceFixture.echo(directory)), ServiceOptions.DEFAULT);
    }

    @AfterEach
    void stop() throws IOException {
        service.close();
    }

    private criu_req dump(int pid) {
        return criu_req.newBuilder().setType(criu_req_type.DUMP)
                .setOpts(criu_opts.newBuilder().setImagesDirFd(-1).setImagesDir(directory.toString()).setPid(pid)).build();
    }

    private void assertRefused(int pid, Errno errno, String... words) throws IOException {
        criu_resp response = ask(service, dump(pid));
        assertThat(response.getType()).isEqualTo(criu_req_type.DUMP);
        assertThat(response.getSuccess()).isFalse();
        assertThat(response.getCrErrmsg()).contains(words);
        assertThat(response.getCrErrno()).isEqualTo(errno.number());
    }

    private criu_resp askAsNobody(criu_req request) throws IOException {
        assumeTrue(TestEngines.isRoot(), "becoming another user needs root");
        ProcessBuilder builder = new ProcessBuilder(AS_NOBODY);
        builder.command().addAll(List.of(TestProcess.PYTHON, "-c", CLIENT, service.address().toString(), HexFormat.of().formatHex(request.toByteArray())));
        Process client = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String answer = new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
        return criu_resp.parseFrom(HexFormat.of().parseHex(answer));
    }

    @Test
    void passesAnOrdinaryProcess() throws IOException {
        try (TestProcess process = TestProcess.start(directory, SLEEP)) {
            assertThat(ask(service, dump(process.pid())).getSuccess()).isTrue();
        }
    }

    @Test
    void refusesPidsThatAreNone() throws IOException {
        assertRefused(4194303, Errno.ESRCH, "pid 4194303: no such process");
        assertRefused(0, Errno.ESRCH, "pid 0");
        assertRefused(-5, Errno.ESRCH, "pid -5");
    }

    @Test
    void refusesAKernelThread() throws IOException {
        assumeTrue(ProcessStatus.of(2).map(ProcessStatus::kernelThread).orElse(false), "pid 2 is no kernel thread in this pid namespace");
        assertRefused(2, Errno.EINVAL, "pid 2 (kthreadd) is a kernel thread");
    }

    @Test
    void refusesAZombie() throws IOException {
        try (TestProcess process = TestProcess.start(directory, "pid = os.fork()\nif pid == 0: os._exit(0)\n"
                + "os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)\nready()\ntime.sleep(1000)\n")) {
            int zombie = (int) ProcessHandle.of(process.pid()).orElseThrow().children().findFirst().orElseThrow().pid();
            assertRefused(zombie, Errno.ESRCH, "pid " + zombie, "is a zombie", "its parent, pid " + process.pid());
        }
    }

    @Test
    void refusesATracedProcess() throws IOException {
        // PTRACE_SEIZE of ptrace(2); the tracee keeps running.
        try (TestProcess process = TestProcess.start(directory, "pid = os.fork()\nif pid == 0: time.sleep(1000)\n"
                + "libc = ctypes.CDLL(None, use_errno=True)\nif libc.ptrace(0x4206, pid, None, None): os._exit(1)\nready()\ntime.sleep(1000)\n")) {
            int traced = (int) ProcessHandle.of(process.pid()).orElseThrow().children().findFirst().orElseThrow().pid();
            assertRefused(traced, Errno.EBUSY, "pid " + traced, "is traced by pid " + process.pid());
        }
    }

    @Test
    void refusesAThread() throws IOException {
        try (TestProcess process = TestProcess.start(directory, "import threading\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n" + SLEEP)) {
            int thread = Integer.parseInt(Arrays.stream(Path.of("/proc/" + process.pid() + "/task").toFile().list())
                    .filter(id -> !id.equals(Integer.toString(process.pid()))).findFirst().orElseThrow());
            assertRefused(thread, Errno.EINVAL, "pid " + thread, "is a thread of process " + process.pid());
        }
    }

    @Test
    void refusesToFreezeItself() throws IOException {
        assertRefused((int) ProcessHandle.current().pid(), Errno.EINVAL, "is the service itself");
        assertRefused((int) ProcessHandle.current().parent().orElseThrow().pid(), Errno.EINVAL, "is an ancestor of the service");
    }

    @Test
    void refusesAnotherUsersProcess() throws IOException {
        try (TestProcess process = TestProcess.start(directory, SLEEP)) {
            criu_resp response = askAsNobody(dump(process.pid()));
            assertThat(response.getSuccess()).isFalse();
            assertThat(response.getCrErrno()).isEqualTo(Errno.EPERM.number());
            assertThat(response.getCrErrmsg()).contains("pid " + process.pid(), "belongs to uid 0 gid 0", "the client is uid 65534 gid 65534");
        }
    }

    @Test
    void passesAUsersOwnProcessButNotWithAnotherUsersChild() throws IOException {
        assumeTrue(TestEngines.isRoot(), "becoming another user needs root");
        try (TestProcess process = TestProcess.start(directory, SLEEP, AS_NOBODY)) {
            assertThat(askAsNobody(dump(process.pid())).getSuccess()).isTrue();
        }
        try (TestProcess process = TestProcess.start(directory, "if os.fork() == 0: time.sleep(1000)\nos.setresgid(65534, 65534, 65534)\n"
                + "os.setresuid(65534, 65534, 65534)\n" + SLEEP)) {
            criu_resp response = askAsNobody(dump(process.pid()));
            assertThat(response.getCrErrno()).isEqualTo(Errno.EPERM.number());
            assertThat(response.getCrErrmsg()).contains("below pid " + process.pid());
        }
        // Real and effective ids are the client's, the saved one is not: this process can become root again.
        try (TestProcess process = TestProcess.start(directory, "os.setresgid(65534, 65534, 65534)\nos.setresuid(65534, 65534, 0)\n" + SLEEP)) {
            assertThat(askAsNobody(dump(process.pid())).getCrErrno()).isEqualTo(Errno.EPERM.number());
        }
    }

    @Test
    void givesAnotherUserNoEngineThatActsAsRoot() throws IOException {
        assumeTrue(TestEngines.isRoot(), "becoming another user needs root");
        service.close();
        service = CriuService.start(RpcAddress.of(directory.resolve("socket")), Engines.criu(ServiceFixture.echo(directory)), ServiceOptions.DEFAULT);
        try (TestProcess process = TestProcess.start(directory, SLEEP, AS_NOBODY)) {
            assertThat(askAsNobody(dump(process.pid())).getCrErrmsg()).contains("would open files as root");
        }
    }
}
