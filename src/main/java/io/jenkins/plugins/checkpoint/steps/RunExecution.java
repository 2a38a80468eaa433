// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.EnvVars;
import hudson.FilePath;
import hudson.model.Computer;
import hudson.model.Run;
import hudson.model.TaskListener;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.util.Timer;
import org.jenkinsci.plugins.workflow.steps.AbstractStepExecutionImpl;
import org.jenkinsci.plugins.workflow.steps.EnvironmentExpander;
import org.jenkinsci.plugins.workflow.steps.StepContext;

/** A {@code checkpointRun} or {@code checkpointRestore} that goes on: looks at the run from time to time, also after a restart of the controller. */
final class RunExecution extends AbstractStepExecutionImpl {
    private static final long serialVersionUID = 1;
    private static final Logger LOGGER = Logger.getLogger(RunExecution.class.getName());

    private static final long FIRST_LOOK_MILLIS = 250;
    private static final long LAST_LOOK_MILLIS = 5_000;
    private static final long OFFLINE_LOOK_MILLIS = 10_000;
    private static final long REMOVED_PATIENCE_MILLIS = TimeUnit.MINUTES.toMillis(5);

    private final RunSession session;
    private final String script;
    private final CheckpointSource source;
    private boolean offlineTold;

    private transient long delay = FIRST_LOOK_MILLIS;
    private transient long missingSince;
    private transient boolean finished;
    private transient volatile boolean stopping;

    /**
     * A step.
     *
     * @param context of the step
     * @param session its run
     * @param script to start; null to restore
     * @param source to restore; null to start
     */
    RunExecution(StepContext context, RunSession session, String script, CheckpointSource source) {
        super(context);
        this.session = session;
        this.script = script;
        this.source = source;
    }

    @Override
    public boolean start() {
        // Not in this thread: it is the only one of the build.
        Computer.threadPoolForRemoting.submit(this::begin);
        return false;
    }

    private void begin() {
        synchronized (this) {
            try {
                RunHost host = host();
                if (source != null) {
                    session.restore(host, source);
                } else {
                    session.start(host, script, getContext().get(EnvVars.class));
                }
                getContext().saveState();
            } catch (IOException | RuntimeException | LinkageError e) {
                fail(e instanceof AbortException ? e : new AbortException(message(e)));
                return;
            } catch (InterruptedException e) {
                fail(e);
                return;
            }
        }
        again(FIRST_LOOK_MILLIS);
    }

    // What comes from an agent is in one line already; a stack trace helps nobody in the console.
    private static String message(Throwable e) {
        LOGGER.log(Level.FINE, "run failed", e);
        return Errors.line(e);
    }

    @Override
    public void onResume() {
        super.onResume();
        delay = FIRST_LOOK_MILLIS;
        if (!session.isStarted()) {
            fail(new AbortException(Messages.Run_RestartedMeanwhile()));
            return;
        }
        again(FIRST_LOOK_MILLIS);
    }

    private RunHost host() throws IOException, InterruptedException {
        StepContext context = getContext();
        Run<?, ?> build = context.get(Run.class);
        RunSessions.adopt(build, session);
        return new RunHost(build, context.get(TaskListener.class), Secrets.of(context.get(EnvVars.class), context.get(EnvironmentExpander.class)));
    }

    private void again(long millis) {
        Timer.get().schedule(() -> Computer.threadPoolForRemoting.submit(this::look), millis, TimeUnit.MILLISECONDS);
    }

    private synchronized void look() {
        if (finished || stopping) {
            return;
        }
        try {
            Optional<FilePath> place = session.place();
            if (place.isEmpty()) {
                waitForAgent();
                return;
            }
            RunHost host = host();
            if (offlineTold) {
                offlineTold = false;
                host.say(Messages.Agent_Back(Agents.display(session.node)));
            }
            missingSince = 0;
            long before = session.offset();
            Optional<RunEnd> end = session.look(host, place.get());
            if (end.isPresent()) {
                finish(host, place.get(), end.get());
                return;
            }
            if (session.offset() > before) {
                delay = FIRST_LOOK_MILLIS;
                getContext().saveState();
            } else {
                delay = Math.min(delay + delay / 5, LAST_LOOK_MILLIS);
            }
            again(delay);
        } catch (IOException | RuntimeException | LinkageError e) {
            // The connection went away in the middle, most often: the processes live on.
            LOGGER.log(Level.FINE, "cannot look at " + session.directory, e);
            again(OFFLINE_LOOK_MILLIS);
        } catch (InterruptedException e) {
            again(OFFLINE_LOOK_MILLIS);
        }
    }

    private void waitForAgent() throws IOException, InterruptedException {
        if (!offlineTold) {
            offlineTold = true;
            host().say(Messages.Agent_Waiting(Agents.display(session.node)));
        }
        if (!Agents.exists(session.node)) {
            missingSince = missingSince == 0 ? System.currentTimeMillis() : missingSince;
            if (System.currentTimeMillis() - missingSince > REMOVED_PATIENCE_MILLIS) {
                fail(new AbortException(Messages.Agent_Removed(Agents.display(session.node))));
                return;
            }
        }
        again(OFFLINE_LOOK_MILLIS);
    }

    private void finish(RunHost host, FilePath place, RunEnd end) throws IOException, InterruptedException {
        Object value = null;
        AbortException failure = null;
        try {
            value = RunResults.value(session, place, end);
        } catch (AbortException e) {
            failure = e;
        }
        finished = true;
        session.close(host);
        if (failure != null) {
            getContext().onFailure(failure);
        } else {
            getContext().onSuccess(value);
        }
    }

    private void fail(Throwable cause) {
        if (!finished) {
            finished = true;
            try {
                RunSessions.remove(getContext().get(Run.class), session);
            } catch (IOException | InterruptedException e) {
                LOGGER.log(Level.FINE, "no build any more", e);
            }
            getContext().onFailure(cause);
        }
    }

    @Override
    public void stop(Throwable cause) {
        if (stopping) {
            fail(cause); // Asked twice: do not wait for the checkpoint.
            return;
        }
        stopping = true;
        Computer.threadPoolForRemoting.submit(() -> end(cause));
    }

    private synchronized void end(Throwable cause) {
        if (finished) {
            return;
        }
        try {
            Optional<FilePath> place = session.place();
            if (place.isPresent() && session.isStarted()) {
                RunHost host = host();
                CheckpointReason reason = RunResults.reason(cause);
                if (session.options.wants(reason)) {
                    session.dumpQuietly(host, reason, false);
                }
                session.stop(place.get());
                for (int i = 0; i < 100 && session.look(host, place.get()).isEmpty(); i++) {
                    continue; // The rest of the output.
                }
                session.close(host);
            }
        } catch (IOException | InterruptedException | RuntimeException | LinkageError e) {
            LOGGER.log(Level.WARNING, "cannot end the run in " + session.directory + " on " + Agents.display(session.node), e);
        }
        fail(cause);
    }

    @Override
    public String getStatus() {
        return session.options.name + " on " + Agents.display(session.node) + (offlineTold ? ", waiting for the agent" : "");
    }
}
