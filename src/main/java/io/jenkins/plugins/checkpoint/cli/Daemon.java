// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A command that goes on in the background. A JVM cannot fork: it starts itself again, with the same arguments, in a session of its own, and waits
 * until the second one says on its standard output that it is ready, or why it cannot be.
 */
final class Daemon {
    private static final String READY = "ready";
    private static final String SETSID = "/usr/bin/setsid";

    private Daemon() {}

    /**
     * Starts the same command line again.
     *
     * @param option the option that asked for the background
     * @param replacement what stands in its place for the second JVM
     * @param log where its standard error goes, appended; null for nowhere
     * @throws IOException if it does not get ready, with its own reason
     */
    static void start(String option, String replacement, Path log) throws IOException {
        List<String> command = new ArrayList<>();
        if (Files.isExecutable(Path.of(SETSID))) {
            command.add(SETSID);
        }
        command.add(ProcessHandle.current().info().command().orElse("java"));
        String[] own = Files.readString(Path.of("/proc/self/cmdline"), StandardCharsets.UTF_8).split("\0");
        for (int i = 1; i < own.length; i++) {
            command.add(own[i].equals(option) ? replacement : own[i]);
        }
        Process process = new ProcessBuilder(command).redirectInput(new File("/dev/null"))
                .redirectError(log == null ? ProcessBuilder.Redirect.DISCARD : ProcessBuilder.Redirect.appendTo(log.toFile())).start();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line = reader.readLine();
            if (!READY.equals(line)) {
                throw new IOException(line != null ? line : "the background process ended before it was ready" + (log == null ? "" : "; see " + log));
            }
        }
    }

    /** Tells whoever started this JVM that it is ready, and lets go of its output. */
    static void ready() {
        System.out.println(READY);
        System.out.close();
    }

    /** Tells whoever started this JVM why it will not get ready. */
    static void failed(Exception reason) {
        System.out.println(String.valueOf(reason.getMessage()).replace('\n', ' '));
    }
}
