// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.FilePath;
import hudson.model.AbstractBuild;
import hudson.model.BuildListener;
import hudson.model.Executor;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import jenkins.model.CauseOfInterruption;

/** A run in a freestyle build: the build's thread looks at it until it ends. */
final class FreestyleRun {
    private static final long FIRST_LOOK_MILLIS = 250;
    private static final long LAST_LOOK_MILLIS = 5_000;
    private static final long OFFLINE_PATIENCE_MILLIS = TimeUnit.MINUTES.toMillis(5);

    private FreestyleRun() {}

    static RunHost host(AbstractBuild<?, ?> build, BuildListener listener) throws IOException, InterruptedException {
        return new RunHost(build, listener, Secrets.of(build.getEnvironment(listener), build.getSensitiveBuildVariables()));
    }

    /**
     * Starts or restores a run and follows it.
     *
     * @param build the build
     * @param listener its console
     * @param options what the build step says
     * @param script to start; null to restore
     * @param source to restore; null to start
     * @return true; a run that fails throws
     */
    static boolean follow(AbstractBuild<?, ?> build, BuildListener listener, RunOptions options, String script, CheckpointSource source)
            throws IOException, InterruptedException {
        Steps.validate(options);
        FilePath workspace = build.getWorkspace();
        if (workspace == null) {
            throw new AbortException(Messages.Dump_NoAgent());
        }
        RunHost host = host(build, listener);
        RunSession session = new RunSession(options, workspace);
        if (source != null) {
            session.restore(host, source);
        } else {
            session.start(host, script, build.getEnvironment(listener));
        }
        try {
            RunEnd end = await(session, host);
            Object value = RunResults.value(session, session.place().orElse(null), end);
            return value == null || value.equals(0);
        } catch (InterruptedException e) {
            stop(session, host);
            throw e;
        } finally {
            session.close(host);
        }
    }

    private static RunEnd await(RunSession session, RunHost host) throws IOException, InterruptedException {
        long delay = FIRST_LOOK_MILLIS;
        long offlineSince = 0;
        while (true) {
            Optional<FilePath> place = session.place();
            if (place.isPresent()) {
                offlineSince = 0;
                long before = session.offset();
                Optional<RunEnd> end = session.look(host, place.get());
                if (end.isPresent()) {
                    return end.get();
                }
                delay = session.offset() > before ? FIRST_LOOK_MILLIS : Math.min(delay + delay / 5, LAST_LOOK_MILLIS);
            } else {
                offlineSince = offlineSince == 0 ? System.currentTimeMillis() : offlineSince;
                if (System.currentTimeMillis() - offlineSince > OFFLINE_PATIENCE_MILLIS) {
                    throw new AbortException(Messages.Agent_Offline(Agents.display(session.node)));
                }
                delay = LAST_LOOK_MILLIS;
            }
            Thread.sleep(delay);
        }
    }

    private static void stop(RunSession session, RunHost host) throws InterruptedException {
        CheckpointReason reason = CheckpointReason.ABORT;
        Executor executor = Executor.currentExecutor();
        if (executor != null) {
            for (CauseOfInterruption cause : executor.getCausesOfInterruption()) {
                if (cause.getClass().getName().contains("imeout")) {
                    reason = CheckpointReason.TIMEOUT;
                }
            }
        }
        try {
            if (session.options.wants(reason)) {
                session.dumpQuietly(host, reason, false);
            }
            Optional<FilePath> place = session.place();
            if (place.isPresent()) {
                session.stop(place.get());
                for (int i = 0; i < 100 && session.look(host, place.get()).isEmpty(); i++) {
                    continue; // The rest of the output.
                }
            }
        } catch (IOException e) {
            host.say(Messages.Run_NotStopped(session.options.name, Errors.line(e)));
        }
    }
}
