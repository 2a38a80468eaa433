// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.TestProcess;
import io.jenkins.plugins.checkpoint.rpc.CriuClient;
import io.jenkins.plugins.checkpoint.rpc.CriuService;
import io.jenkins.plugins.checkpoint.rpc.Engine;
import io.jenkins.plugins.checkpoint.rpc.RpcAddress;
import io.jenkins.plugins.checkpoint.rpc.ServiceOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the engines write of a real process is read as what the process had. */
class RealImagesTest {
    private static final String PROGRAM = """
            import mmap, select, signal, socket, threading
            here = os.path.dirname(os.environ['READY'])
            os.chdir(here)
            r, w = os.pipe()
            a, b = socket.socketpair()
            f = open(here + '/progress.txt', 'w+'); f.write('x' * 1234); f.flush()
            private = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); private[:40960] = b'p' * 40960
            shared = mmap.mmap(-1, 1 << 19, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS); shared[:8192] = b's' * 8192
            epoll = select.epoll(); epoll.register(r, select.EPOLLIN)
            m, s = os.openpty()
            signal.signal(signal.SIGALRM, lambda *a: None)
            signal.setitimer(signal.ITIMER_REAL, 100000, 5)
            print(r, w, a.fileno(), b.fileno(), f.fileno(), epoll.fileno(), m, s, ctypes.addressof(ctypes.c_char.from_buffer(private)), file=open(here + '/facts', 'w'), flush=True)
            if os.fork() == 0:
                time.sleep(1000)
                os._exit(0)
            threading.Thread(target=lambda: time.sleep(1000), daemon=True).start()
            time.sleep(0.1)
            ready()
            time.sleep(1000)
            """;

    @TempDir
    private Path directory;

    private Checkpoint dump(Engine engine, TestProcess process) throws IOException {
        Path images = Files.createDirectory(directory.resolve("images"));
        try (CriuService service = CriuService.start(RpcAddress.of(directory.resolve("socket")), engine, ServiceOptions.DEFAULT);
                CriuClient client = CriuClient.connect(service.address())) {
            client.dump(process.pid(), images, options -> options.setLeaveRunning(true).setTcpEstablished(true));
        }
        return CheckpointReader.read(images);
    }

    private static Descriptor descriptor(Task task, String number) {
        return task.descriptors().stream().filter(fd -> fd.number() == Integer.parseInt(number)).findFirst().orElseThrow();
    }

    @ParameterizedTest
    @EnumSource(TestEngines.class)
    void tellsWhatAProcessHad(TestEngines kind) throws IOException {
        Engine engine = kind.orSkip();
        try (TestProcess process = TestProcess.start(directory, PROGRAM)) {
            String[] facts = Files.readString(directory.resolve("facts")).strip().split(" ");
            List<Integer> pids = List.of(process.pid(), (int) process.process().children().findFirst().orElseThrow().pid());
            Checkpoint checkpoint = dump(engine, process);
            Task root = checkpoint.tasks().get(0);
            assertThat(checkpoint.tasks()).extracting(Task::pid).isEqualTo(pids);
            assertThat(root.threads()).hasSize(2);
            assertThat(root.arguments()).startsWith(TestProcess.PYTHON, "-c");
            assertThat(root.directory()).isEqualTo(directory.toRealPath().toString());
            assertThat(root.credentials().uid()).isZero();
            assertThat(root.timers()).anySatisfy(timer -> {
                assertThat(timer.clock()).isEqualTo("real");
                assertThat(timer.remaining()).isBetween(1L, 100_000_000_000L);
                assertThat(timer.interval()).isEqualTo(5_000_000);
            });

            assertThat(descriptor(root, facts[0]).peers()).containsExactly(new Descriptor.End(pids.get(0), Integer.parseInt(facts[1])),
                    new Descriptor.End(pids.get(1), Integer.parseInt(facts[1])));
            assertThat(descriptor(root, facts[0]).access()).isEqualTo("r");
            assertThat(descriptor(root, facts[2]).peers()).contains(new Descriptor.End(pids.get(0), Integer.parseInt(facts[3])));
            assertThat(descriptor(root, facts[2]).socket().state()).isEqualTo("ESTABLISHED");
            assertThat(descriptor(root, facts[4])).extracting(Descriptor::what, Descriptor::position, Descriptor::size, Descriptor::access)
                    .containsExactly("file", 1234L, 1234L, "rw");
            assertThat(descriptor(root, facts[4]).sharers()).contains(new Descriptor.End(pids.get(1), Integer.parseInt(facts[4])));
            assertThat(descriptor(root, facts[5]).detail()).isEqualTo("watches 1 descriptor");
            assertThat(descriptor(root, facts[6])).extracting(Descriptor::what).isEqualTo("terminal master");
            assertThat(descriptor(root, facts[7]).peers()).contains(new Descriptor.End(pids.get(0), Integer.parseInt(facts[6])));

            // Ten pages of a megabyte were written; the kernel may have joined the mapping with its neighbours.
            long address = Long.parseLong(facts[8]);
            Optional<Mapping> mapping = root.mappings().stream().filter(map -> map.start() <= address && address < map.end()).findFirst();
            assertThat(mapping).get().satisfies(map -> {
                assertThat(map.kind()).isEqualTo(MappingKind.ANONYMOUS);
                assertThat(map.stored()).isBetween(40960L, map.size());
            });
            assertThat(root.mappings()).anySatisfy(map -> {
                assertThat(map.kind()).isEqualTo(MappingKind.SHARED);
                assertThat(map.stored()).isEqualTo(8192);
                assertThat(map.size()).isEqualTo(1 << 19);
            });
            assertThat(root.mappings()).extracting(Mapping::kind).contains(MappingKind.HEAP, MappingKind.STACK, MappingKind.CODE, MappingKind.FILE);
            // Shared memory is in both processes, but once in the sum.
            assertThat(checkpoint.totals().stored()).isEqualTo(checkpoint.tasks().stream().mapToLong(task -> task.memory().stored()).sum() + 8192);

            assertThat(checkpoint.needs().files()).extracting(Needs.NeededFile::path).contains(directory.toRealPath() + "/progress.txt", "/dev/null");
            assertThat(checkpoint.needs().options()).isEmpty();
            assertThat(CheckpointJson.read(CheckpointJson.write(checkpoint))).isEqualTo(checkpoint);
        }
    }

    @Test
    void namesTheOptionsThatAConnectionNeeds() throws IOException {
        Engine engine = TestEngines.EMBEDDED.orSkip();
        assumeTrue(Files.isExecutable(Path.of("/usr/sbin/iptables")), "no iptables, which connections take");
        try (TestProcess process = TestProcess.start(directory, """
                import socket
                l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen()
                c = socket.create_connection(l.getsockname()); s, _ = l.accept()
                six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); six.bind(('::1', 0))
                print(l.getsockname()[1], l.fileno(), c.fileno(), s.fileno(), six.fileno(), six.getsockname()[1], file=open(os.environ['READY'] + '.facts', 'w'), flush=True)
                ready()
                time.sleep(1000)
                """)) {
            Path file;
            try (var list = Files.list(directory)) {
                file = list.filter(path -> path.toString().endsWith(".facts")).findFirst().orElseThrow();
            }
            String[] facts = Files.readString(file).strip().split(" ");
            Checkpoint checkpoint = dump(engine, process);
            Task root = checkpoint.tasks().get(0);
            String server = "127.0.0.1:" + facts[0];
            assertThat(descriptor(root, facts[1]).socket()).isEqualTo(new Descriptor.Socket("LISTEN", server, ""));
            Descriptor client = descriptor(root, facts[2]);
            assertThat(client.what()).isEqualTo("TCP socket");
            assertThat(client.socket().remote()).isEqualTo(server);
            assertThat(client.peers()).containsExactly(new Descriptor.End(process.pid(), Integer.parseInt(facts[3])));
            assertThat(descriptor(root, facts[4]).socket().local()).isEqualTo("[::1]:" + facts[5]);
            assertThat(checkpoint.needs().options()).containsExactly(new Needs.NeededOption("--tcp-established", "there are 2 TCP connections"));
        }
    }
}
