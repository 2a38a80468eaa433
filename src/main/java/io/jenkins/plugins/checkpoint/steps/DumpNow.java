// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.FilePath;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Makes a checkpoint because a step asks for it. */
final class DumpNow {
    // A run in a parallel branch may just be starting.
    private static final long START_PATIENCE_MILLIS = TimeUnit.SECONDS.toMillis(30);

    private DumpNow() {}

    /**
     * Makes it.
     *
     * @param host the build
     * @param options what the step says
     * @param pid of a process; 0 for the run of that name
     * @param leaveRunning whether the processes go on
     * @param place the step's workspace; null if it has none
     * @return the checkpoint's number
     * @throws AbortException if it fails
     */
    static int make(RunHost host, RunOptions options, int pid, boolean leaveRunning, FilePath place) throws IOException, InterruptedException {
        if (pid > 0) {
            if (place == null) {
                throw new AbortException(Messages.Dump_NoAgent());
            }
            RunSession session = new RunSession(options, place);
            FilePath directory = place.getChannel() == null ? null : new FilePath(place.getChannel(), session.directory);
            try {
                return SessionDumps.make(session, host, directory, options, pid, CheckpointReason.DUMP, leaveRunning, session.rpc(Map.of()));
            } finally {
                session.close(host);
            }
        }
        long end = System.currentTimeMillis() + START_PATIENCE_MILLIS;
        while (true) {
            try {
                return RunSessions.require(host.build(), options.name).dump(host, CheckpointReason.DUMP, leaveRunning, options);
            } catch (RunSessions.NotYetException e) {
                if (System.currentTimeMillis() > end) {
                    throw new AbortException(e.getMessage());
                }
                Thread.sleep(200);
            }
        }
    }
}
