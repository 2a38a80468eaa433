// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli.demo;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The demo's test run: a CPython process with threads, a child, and pipes between them, in a session of its own. */
final class TestRun {
    private final Path script;
    private final Process process;

    private TestRun(Path script, Process process) {
        this.script = script;
        this.process = process;
    }

    /**
     * Starts it.
     *
     * @param directory where the script and its output go
     * @param progress the file that it appends to
     * @param cases how many it works through
     */
    static TestRun start(Path directory, Path progress, int cases) throws IOException {
        Path script = directory.resolve("soak.py");
        try (InputStream in = TestRun.class.getResourceAsStream("/demo/soak.py")) {
            Files.copy(in, script);
        }
        File output = directory.resolve("soak.out").toFile();
        try {
            Process process = new ProcessBuilder("python3", "-I", script.toString(), progress.toString(), Integer.toString(cases), "0.04")
                    .directory(directory.toFile()).redirectInput(new File("/dev/null")).redirectOutput(output).redirectErrorStream(true).start();
            return new TestRun(script, process);
        } catch (IOException e) {
            throw new IOException("cannot start python3, which the demo's test run needs: " + e.getMessage(), e);
        }
    }

    int pid() {
        return (int) process.pid();
    }

    /** Whether the process that was started here, not a restored one, still is. */
    boolean hasEnded() {
        return !process.isAlive();
    }

    /** Pids of the tree, the root first. */
    List<Integer> tree() {
        return tree(pid());
    }

    /** The same of any process. */
    static List<Integer> tree(int root) {
        List<Integer> pids = new ArrayList<>();
        pids.add(root);
        ProcessHandle.of(root).stream().flatMap(ProcessHandle::descendants).forEach(child -> pids.add((int) child.pid()));
        return pids;
    }

    /** How many threads all processes of the tree have. */
    static int threads(List<Integer> pids) throws IOException {
        int threads = 0;
        for (int pid : pids) {
            try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
                threads += (int) tasks.count();
            }
        }
        return threads;
    }

    /** Kills what is left of the run, started or restored; a process that only has a pid of it by chance is spared. */
    void kill(List<Integer> pids) {
        for (int pid : pids) {
            if (isOurs(pid)) {
                ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
            }
        }
    }

    private boolean isOurs(int pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1).contains(script.toString());
        } catch (IOException e) {
            return false;
        }
    }

    /** Whether a pid is free to be taken again: neither running nor a zombie that waits for its parent. */
    static boolean isFree(int pid) {
        return !Files.exists(Path.of("/proc/" + pid));
    }

    /** Whether a process has ended, reaped or not. */
    static boolean isOver(int pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'Z';
        } catch (IOException e) {
            return true;
        }
    }
}
