// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.checkpoint.engine.Engines;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real scripts under the real supervisor. */
class RunTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String COUNT = "#!/bin/sh\ni=0\nwhile [ ! -e stop ]; do i=$((i + 1)); echo case $i; echo $i >data; sleep 0.02; done\necho end\nexit 7\n";

    @TempDir
    private Path temporary;

    private Path workspace;
    private final List<Follower> followers = new ArrayList<>();

    /** What the controller does: asks for what is new, again and again. */
    private static final class Follower {
        private final String directory;
        private final StringBuilder text = new StringBuilder();
        private long offset;
        private RunState last;

        Follower(Path directory) {
            this.directory = directory.toString();
        }

        String look() throws IOException {
            last = Run.look(directory, offset);
            offset += last.text().length;
            text.append(new String(last.text(), StandardCharsets.UTF_8));
            return text.toString();
        }

        void awaitText(String wanted) {
            Awaitility.await().atMost(PATIENCE).until(() -> look().contains(wanted));
        }

        String awaitStatus() {
            Awaitility.await().atMost(PATIENCE).until(() -> {
                look();
                return last.status() != null;
            });
            return last.status();
        }
    }

    @BeforeEach
    void makeWorkspace() throws IOException {
        assumeTrue(Engines.hasEmbedded(), "built without an engine (-Dnative.skip)");
        workspace = Files.createDirectory(temporary.resolve("workspace"));
    }

    @AfterEach
    void end() throws IOException, InterruptedException {
        for (Follower follower : followers) {
            Run.stop(follower.directory);
            Run.remove(follower.directory, false);
        }
    }

    private Follower follow(String name) {
        Follower follower = new Follower(temporary.resolve(name));
        followers.add(follower);
        return follower;
    }

    private Follower start(String name, String script, boolean keepOutput, boolean holdFailure) throws IOException, InterruptedException {
        Follower follower = follow(name);
        Run.start(new RunRequest(follower.directory, workspace.toString(), script, Map.of("PATH", System.getenv("PATH"), "WHO", "test"), keepOutput, holdFailure));
        return follower;
    }

    private static DumpRequest dump(Follower run, int number, boolean leaveRunning, String includes) {
        return new DumpRequest(run.directory, 0, "test", number, leaveRunning, Map.of(), includes, null, 3, 0, 0, false, "auto", List.of());
    }

    private Follower restore(String name, DumpResult dump, int number) throws IOException, InterruptedException {
        Follower follower = follow(name);
        Files.createDirectories(Path.of(follower.directory));
        Files.copy(Path.of(dump.directory(), number + ".tar.zst"), Path.of(follower.directory, RestoreRequest.ARCHIVE));
        Restore.run(new RestoreRequest(follower.directory, workspace.toString(), 0, List.of()));
        return follower;
    }

    private static int lastCase(String text) {
        String[] lines = text.strip().split("\n");
        return Integer.parseInt(lines[lines.length - 1].replace("case ", ""));
    }

    @Test
    void tellsOutputStatusAndEnvironment() throws Exception {
        Follower run = start("checkpoint-a", "echo hello $WHO\necho error >&2\nexit 3", false, false);
        assertThat(run.awaitStatus()).isEqualTo("3");
        assertThat(run.text.toString()).isEqualTo("+ echo hello test\nhello test\n+ echo error\nerror\n+ exit 3\n");
    }

    @Test
    void keepsStandardOutputApart() throws Exception {
        Follower run = start("checkpoint-a", "echo value; echo log >&2", true, false);
        assertThat(run.awaitStatus()).isEqualTo("0");
        assertThat(Run.output(run.directory)).isEqualTo("value\n");
        assertThat(run.text.toString()).isEqualTo("+ echo value\n+ echo log\nlog\n");
    }

    @Test
    void goesOnWhereItWasDumped() throws Exception {
        Follower run = start("checkpoint-a", COUNT, false, false);
        run.awaitText("case 5\n");
        DumpResult dump = Dump.make(dump(run, 1, false, "data"));
        assertThat(run.awaitStatus()).isEqualTo(RunState.CHECKPOINTED);
        assertThat(dump.workspaceFiles()).isEqualTo(1);
        assertThat(dump.archiveBytes()).isPositive().isLessThan(dump.imageBytes());
        assertThat(dump.frozenMicros()).isPositive();
        int last = lastCase(run.text.toString());
        Files.delete(workspace.resolve("data"));
        Run.goOn(run.directory);

        Follower restored = restore("checkpoint-b", dump, 1);
        restored.awaitText("case " + (last + 3) + "\n");
        Files.writeString(workspace.resolve("stop"), "");
        assertThat(restored.awaitStatus()).isEqualTo("7");
        assertThat(restored.text.toString()).startsWith("case " + (last + 1) + "\ncase " + (last + 2) + "\n").endsWith("end\n");
        assertThat(workspace.resolve("data")).exists();
    }

    @Test
    void runsOnAfterADumpAndIsDumpedAgainAfterARestore() throws Exception {
        Follower run = start("checkpoint-a", COUNT, false, false);
        run.awaitText("case 3\n");
        Dump.make(dump(run, 1, true, null));
        int then = lastCase(run.look());
        run.awaitText("case " + (then + 3) + "\n");
        DumpResult second = Dump.make(dump(run, 2, false, null));
        assertThat(run.awaitStatus()).isEqualTo(RunState.CHECKPOINTED);
        Follower restored = restore("checkpoint-b", second, 2);
        restored.awaitText("case ");
        DumpResult third = Dump.make(dump(restored, 1, false, null));
        assertThat(restored.awaitStatus()).isEqualTo(RunState.CHECKPOINTED);
        int last = lastCase(restored.text.toString());
        Follower again = restore("checkpoint-c", third, 1);
        again.awaitText("case " + (last + 1) + "\n");
    }

    @Test
    void packsWholeArchivesOfIncrementalDumps() throws Exception {
        Follower run = start("checkpoint-a", COUNT, false, false);
        run.awaitText("case 2\n");
        DumpResult last = null;
        for (int number = 1; number <= 4; number++) {
            int then = lastCase(run.look());
            last = Dump.make(new DumpRequest(run.directory, 0, "test", number, number < 4, Map.of(), null, null, 3, 0, 0, true, "auto", List.of()));
            if (number < 4) {
                run.awaitText("case " + (then + 2) + "\n");
            }
        }
        assertThat(run.awaitStatus()).isEqualTo(RunState.CHECKPOINTED);
        Follower restored = restore("checkpoint-b", last, 4);
        restored.awaitText("case " + (lastCase(run.text.toString()) + 1) + "\n");
    }

    @Test
    void tellsTheValueOfARestoredRunAsAWhole() throws Exception {
        Follower run = start("checkpoint-a", COUNT, true, false);
        Path output = Path.of(run.directory, "output");
        Awaitility.await().atMost(PATIENCE).until(() -> Files.readString(output).contains("case 5\n"));
        DumpResult dump = Dump.make(dump(run, 1, false, null));
        run.awaitStatus();
        Follower restored = restore("checkpoint-b", dump, 1);
        Files.writeString(workspace.resolve("stop"), "");
        assertThat(restored.awaitStatus()).isEqualTo("7");
        String[] lines = Run.output(restored.directory).split("\n");
        for (int i = 0; i < lines.length - 1; i++) {
            assertThat(lines[i]).isEqualTo("case " + (i + 1));
        }
        assertThat(lines[lines.length - 1]).isEqualTo("end");
    }

    @Test
    void leavesNothingOfARunThatIsStopped() throws Exception {
        Follower run = start("checkpoint-a", "sleep 600 & trap '' TERM; echo $$ $!; while :; do sleep 1; done", false, false);
        Awaitility.await().atMost(PATIENCE).until(() -> run.look().lines().anyMatch(line -> line.matches("\\d+ \\d+")));
        String[] pids = run.text.toString().lines().filter(line -> line.matches("\\d+ \\d+")).findFirst().orElseThrow().split(" ");
        Run.stop(run.directory);
        for (String pid : pids) {
            Awaitility.await().atMost(PATIENCE).until(() -> ProcessHandle.of(Long.parseLong(pid)).isEmpty());
        }
        assertThat(run.awaitStatus()).isEqualTo("137");
        Run.remove(run.directory, false);
        assertThat(Path.of(run.directory)).doesNotExist();
    }

    @Test
    void holdsWhatAFailedScriptLeavesBehind() throws Exception {
        Follower run = start("checkpoint-a", "sleep 600 & exit 4", false, true);
        Awaitility.await().atMost(PATIENCE).until(() -> {
            run.look();
            return run.last.failed();
        });
        DumpResult dump = Dump.make(dump(run, 1, true, null));
        assertThat(dump.processes()).isGreaterThanOrEqualTo(2);
        Run.goOn(run.directory);
        assertThat(run.awaitStatus()).isEqualTo("4");
    }

    @Test
    void saysThatARunHasEnded() throws Exception {
        Follower run = start("checkpoint-a", "exit 0", false, false);
        assertThat(run.awaitStatus()).isEqualTo("0");
        Awaitility.await().atMost(PATIENCE).until(() -> !Run.isAlive(RunDirectory.of(run.directory)));
        assertThatThrownBy(() -> Dump.make(dump(run, 1, true, null))).isInstanceOf(RunEndedException.class).hasMessageContaining("has ended");
    }

    @Test
    void saysWhatIsWrongWithAnOption() throws Exception {
        Follower run = start("checkpoint-a", COUNT, false, false);
        run.awaitText("case 1\n");
        assertThatThrownBy(() -> Dump.make(new DumpRequest(run.directory, 0, "test", 1, true, Map.of("shellJob", "yes"), null, null, 3, 0, 0, false, "auto", List.of())))
                .isInstanceOf(AgentException.class).hasMessageContaining("shellJob takes true or false");
        assertThatThrownBy(() -> Dump.make(new DumpRequest(run.directory, 0, "test", 1, true, Map.of("execCmd", List.of("reboot")), null, null, 3, 0, 0, false, "auto", List.of())))
                .isInstanceOf(AgentException.class).hasMessageContaining("no dump option execCmd");
        assertThatThrownBy(() -> Dump.make(new DumpRequest(run.directory, 0, "test", 1, true, Map.of(), null, null, 3, 1000, 0, false, "auto", List.of())))
                .isInstanceOf(AgentException.class).hasMessageContaining("the administrator allows 1000");
        int then = lastCase(run.look());
        run.awaitText("case " + (then + 2) + "\n");
    }
}
