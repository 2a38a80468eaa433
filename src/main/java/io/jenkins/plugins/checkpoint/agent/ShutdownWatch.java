// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Holds up the end of the agent's JVM (SIGTERM when a spot machine is taken away) until the runs that want it are checkpointed and their
 * archives uploaded: the connection to the controller is still there while shutdown hooks run.
 */
public final class ShutdownWatch {
    // systemd gives a service 90 seconds.
    private static final long PATIENCE_MILLIS = 80_000;

    private static final Set<String> RUNS = ConcurrentHashMap.newKeySet();
    private static boolean installed;

    private ShutdownWatch() {}

    /**
     * Makes the end of this JVM wait for a run's checkpoint. May be called any number of times.
     *
     * @param directory the run's
     */
    public static synchronized void watch(String directory) {
        RUNS.add(directory);
        if (!installed) {
            installed = true;
            // Loaded now: classes cannot be fetched any more when the hook runs.
            Runtime.getRuntime().addShutdownHook(new Thread(ShutdownWatch::hold, "checkpoint-shutdown"));
        }
    }

    /**
     * Lets the JVM end without this run.
     *
     * @param directory the run's
     */
    public static void forget(String directory) {
        RUNS.remove(directory);
    }

    private static void hold() {
        for (String directory : RUNS) {
            try {
                RunDirectory run = RunDirectory.of(directory);
                if (Files.isDirectory(run.path()) && !Files.exists(run.status())) {
                    Files.writeString(run.shutdown(), "");
                }
            } catch (IOException e) {
                RUNS.remove(directory);
            }
        }
        long end = System.currentTimeMillis() + PATIENCE_MILLIS;
        while (System.currentTimeMillis() < end && RUNS.stream().anyMatch(directory -> isHeld(RunDirectory.of(directory)))) {
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static boolean isHeld(RunDirectory run) {
        return Files.exists(run.shutdown()) && !Files.exists(run.released());
    }
}
