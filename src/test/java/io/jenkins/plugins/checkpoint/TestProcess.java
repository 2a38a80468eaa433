// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint;

import static org.awaitility.Awaitility.await;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A python3 process to ask things about, in a session of its own, without a terminal; killed in the end. */
public final class TestProcess implements AutoCloseable {
    /** Debian's own python3 where there is one: others may lie where only root can reach them. */
    public static final String PYTHON = Files.isExecutable(Path.of("/usr/bin/python3")) ? "/usr/bin/python3" : "python3";

    private final Process process;

    private TestProcess(Process process) {
        this.process = process;
    }

    /**
     * Starts a script and waits until it says that it is ready, by making the file in $READY.
     *
     * @param directory a scratch directory
     * @param script python; {@code ready()} is defined
     * @param wrapper a command in front, such as setpriv
     */
    public static TestProcess start(Path directory, String script, String... wrapper) throws IOException {
        Path ready = directory.resolve("ready-" + System.nanoTime());
        List<String> command = new ArrayList<>(List.of(wrapper));
        command.addAll(List.of(PYTHON, "-c", "import os, sys, time, ctypes\ndef ready(): open(os.environ['READY'], 'w').close()\nos.setsid()\n" + script));
        ProcessBuilder builder = new ProcessBuilder(command).redirectInput(new File("/dev/null")).redirectErrorStream(true)
                .redirectOutput(directory.resolve(ready.getFileName() + ".out").toFile());
        builder.environment().put("READY", ready.toString());
        TestProcess started = new TestProcess(builder.start());
        try {
            await().until(() -> Files.exists(ready) || !started.process.isAlive());
            if (!Files.exists(ready)) {
                throw new IOException("the test's process ended early: " + Files.readString(directory.resolve(ready.getFileName() + ".out")));
            }
        } catch (IOException | RuntimeException e) {
            started.close();
            throw e;
        }
        return started;
    }

    /** Its pid. */
    public int pid() {
        return (int) process.pid();
    }

    /** The process as its parent sees it. */
    public Process process() {
        return process;
    }

    /** The letter of its state. */
    public char state() throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid() + "/stat"));
        return stat.charAt(stat.lastIndexOf(')') + 2);
    }

    /** Kills it with all its children, and whatever was restored under its pid. */
    @Override
    public void close() {
        ProcessHandle.of(pid()).ifPresent(root -> {
            root.descendants().forEach(ProcessHandle::destroyForcibly);
            root.destroyForcibly();
        });
    }
}
