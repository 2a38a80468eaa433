// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.EnvVars;
import hudson.FilePath;
import hudson.model.Computer;
import hudson.slaves.WorkspaceList;
import io.jenkins.plugins.checkpoint.agent.RestoreRequest;
import io.jenkins.plugins.checkpoint.agent.RestoreResult;
import io.jenkins.plugins.checkpoint.agent.RunRequest;
import io.jenkins.plugins.checkpoint.agent.RunState;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * A run as the controller knows it, from its start or restore to its end; pipeline steps keep it in the build's state, so that they find the
 * run again after a restart of the controller. What it does, the agent does; here is the order of things.
 */
final class RunSession implements Serializable {
    private static final long serialVersionUID = 1;
    private static final Logger LOGGER = Logger.getLogger(RunSession.class.getName());
    private static final SecureRandom RANDOM = new SecureRandom();

    final String id;
    final RunOptions options;
    final String node;
    final String workspace;
    final String directory;

    private long offset;
    private long nextDumpMillis;
    private boolean started;
    private boolean held;
    private boolean released;
    private boolean keepFiles;
    private boolean outputApart;
    private boolean shutDown;
    private String checkpointed;
    private String uploadFailure;
    private transient volatile boolean dumping;
    private transient volatile boolean leaving;
    private transient String told;

    /**
     * A run that has not started.
     *
     * @param options what the step says
     * @param place the step's workspace
     */
    RunSession(RunOptions options, FilePath place) {
        byte[] random = new byte[5];
        RANDOM.nextBytes(random);
        this.id = HexFormat.of().formatHex(random);
        this.options = options;
        this.node = Agents.nameOf(place);
        this.workspace = place.getRemote();
        FilePath temporary = WorkspaceList.tempDir(place);
        this.directory = (temporary == null ? place : temporary).child("checkpoint-" + options.name + "-" + id).getRemote();
        this.outputApart = options.returnStdout;
    }

    /** The agent's directory of this run; empty while the agent is not connected. */
    Optional<FilePath> place() {
        return Agents.find(node, directory);
    }

    private FilePath requirePlace() throws AbortException {
        return place().orElseThrow(() -> new AbortException(Messages.Agent_Offline(Agents.display(node))));
    }

    /**
     * Starts a script.
     *
     * @param host the build
     * @param script what to run
     * @param environment of the step
     */
    void start(RunHost host, String script, EnvVars environment) throws IOException, InterruptedException {
        FilePath place = requirePlace();
        EnvVars all = EnvVars.getRemote(place.getChannel());
        all.overrideExpandingAll(environment);
        new AgentCalls.Start(new RunRequest(directory, workspace, script, new TreeMap<>(all), options.returnStdout, options.wants(CheckpointReason.FAILURE))).on(place);
        begin(host);
    }

    /**
     * Restores a checkpoint.
     *
     * @param host the build
     * @param source which
     */
    void restore(RunHost host, CheckpointSource source) throws IOException, InterruptedException {
        FilePath place = requirePlace();
        RestoreResult result;
        try {
            new AgentCalls.RequireSupported().on(place);
            host.say(Messages.Restore_Fetching(source.label(), Sizes.bytes(source.size()), Agents.display(node)));
            place.mkdirs();
            place.chmod(0700);
            try (InputStream in = source.open()) {
                place.child(RestoreRequest.ARCHIVE).copyFrom(in);
            }
            long limit = CheckpointConfiguration.get().getMaxCheckpointMegabytes() * (1L << 20);
            result = new AgentCalls.MakeRestore(new RestoreRequest(directory, workspace, limit, RestoreArguments.of(options.rpc))).on(place);
        } catch (IOException e) {
            SessionDumps.archiveLog(this, host, place, 0, "restore.log");
            new AgentCalls.Remove(directory, false).on(place);
            throw new AbortException(Messages.Restore_Failed(source.label(), StepWords.of(Errors.line(e))));
        }
        outputApart = result.keepsOutput();
        result.remarks().forEach(host::say);
        host.say(Messages.Restore_Done(source.label(), String.valueOf(result.processes()), Sizes.bytes(result.imageBytes()), String.valueOf(result.workspaceFiles()),
                Sizes.millis(result.millis())));
        begin(host);
    }

    private void begin(RunHost host) {
        started = true;
        scheduleNext();
        RunSessions.add(host.build(), this);
    }

    private void scheduleNext() {
        Duration every = Durations.parse(options.every);
        nextDumpMillis = every.isZero() ? 0 : System.currentTimeMillis() + every.toMillis();
    }

    /** Whether {@link #start} or {@link #restore} has succeeded. */
    boolean isStarted() {
        return started;
    }

    /**
     * Looks at the run: prints what is new, and makes the checkpoints that are due.
     *
     * @param host the build
     * @param place the agent's directory of this run
     * @return how it ended; empty while it goes on
     * @throws IOException if the agent cannot be reached
     */
    Optional<RunEnd> look(RunHost host, FilePath place) throws IOException, InterruptedException {
        RunState state = new AgentCalls.Look(directory, offset, options.wants(CheckpointReason.AGENT_SHUTDOWN)).on(place);
        if (state.text().length > 0) {
            host.listener().getLogger().write(state.text(), 0, state.text().length);
            host.listener().getLogger().flush();
            offset += state.text().length;
        }
        if (state.status() != null) {
            // A dump may be what ended it: its files are needed until it has uploaded them.
            synchronized (this) {
                return Optional.of(end(state.status()));
            }
        }
        if (state.failed() && !held) {
            held = true;
            dumpQuietly(host, CheckpointReason.FAILURE, true);
            new AgentCalls.GoOn(directory).on(place);
        }
        if ((leaving || state.shutdown()) && !released) {
            released = true;
            host.say(Messages.Agent_ShutsDown(Agents.display(node)));
            shutDown = dumpQuietly(host, CheckpointReason.AGENT_SHUTDOWN, false);
            if (state.shutdown()) {
                new AgentCalls.Release(directory).on(place);
            }
            if (shutDown) {
                // Not to be asked again: the agent may be gone in a moment.
                return Optional.of(end(RunState.CHECKPOINTED));
            }
        }
        if (nextDumpMillis > 0 && System.currentTimeMillis() >= nextDumpMillis && !dumping && !held) {
            // Not here: the console goes on meanwhile.
            dumping = true;
            Computer.threadPoolForRemoting.submit(() -> {
                try {
                    dumpQuietly(host, CheckpointReason.EVERY, true);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                } finally {
                    scheduleNext();
                    dumping = false;
                }
            });
        }
        return Optional.empty();
    }

    /** How many bytes of output the controller has. */
    long offset() {
        return offset;
    }

    private RunEnd end(String status) {
        if (checkpointed != null || status.equals(RunState.CHECKPOINTED)) {
            return new RunEnd(-1, checkpointed == null ? options.name : checkpointed, shutDown);
        }
        if (status.equals(RunState.GONE)) {
            return new RunEnd(-1, null, false);
        }
        return new RunEnd(Integer.parseInt(status), null, false);
    }

    /**
     * What the run printed on standard output, when that is the step's value.
     *
     * @param place the agent's directory of this run
     */
    String output(FilePath place) throws IOException, InterruptedException {
        if (!outputApart) {
            throw new AbortException(Messages.Return_NotKept());
        }
        return new AgentCalls.Output(directory).on(place);
    }

    /**
     * Makes a checkpoint.
     *
     * @param host the build
     * @param reason why
     * @param leaveRunning whether the run goes on
     * @param more RPC options beside the run's own
     * @return its number
     * @throws AbortException if it fails; the run goes on then
     */
    int dump(RunHost host, CheckpointReason reason, boolean leaveRunning, Map<String, Object> more) throws IOException, InterruptedException {
        return dump(host, reason, leaveRunning, options, more);
    }

    /** As {@link #dump(RunHost, CheckpointReason, boolean, Map)}, with what a step says where it says something. */
    int dump(RunHost host, CheckpointReason reason, boolean leaveRunning, RunOptions step) throws IOException, InterruptedException {
        return dump(host, reason, leaveRunning, options.withStorageOf(step), step.rpc);
    }

    private synchronized int dump(RunHost host, CheckpointReason reason, boolean leaveRunning, RunOptions with, Map<String, Object> more)
            throws IOException, InterruptedException {
        int number = SessionDumps.make(this, host, requirePlace(), with, 0, reason, leaveRunning, rpc(more));
        if (!leaveRunning) {
            checkpointed = CheckpointStore.label(options.name, number);
        }
        return number;
    }

    /** As {@link #dump}; a failure is printed and the run goes on. */
    boolean dumpQuietly(RunHost host, CheckpointReason reason, boolean leaveRunning) throws InterruptedException {
        try {
            dump(host, reason, leaveRunning, Map.of());
            return true;
        } catch (IOException e) {
            host.say(Errors.line(e));
            return false;
        }
    }

    /** The agent is about to be taken away; the next look makes a checkpoint, if the run wants one then. */
    void agentLeaves() {
        leaving = options.wants(CheckpointReason.AGENT_SHUTDOWN);
    }

    /** Prints a line of ours, unless it was the last one printed so. */
    void tellOnce(RunHost host, String text) {
        if (!text.equals(told)) {
            told = text;
            host.say(text);
        }
    }

    /** Files of a checkpoint are not to be uploaded: they stay on the agent. */
    void keepFiles() {
        keepFiles = true;
    }

    /**
     * Files of a checkpoint could not be uploaded: they stay on the agent, and the step fails when the run has ended.
     *
     * @param message why
     */
    void uploadFailed(String message) {
        keepFiles = true;
        uploadFailure = message;
    }

    /** A checkpoint is archived: earlier ones that could not be are not missed any more. */
    void uploaded() {
        uploadFailure = null;
    }

    /** Why the last checkpoint is no artifact; null if it is one. */
    String uploadFailure() {
        return uploadFailure;
    }

    /**
     * Ends the run's processes.
     *
     * @param place the agent's directory of this run
     */
    void stop(FilePath place) throws IOException, InterruptedException {
        new AgentCalls.Stop(directory).on(place);
    }

    /**
     * Forgets a run that has ended.
     *
     * @param host the build
     */
    void close(RunHost host) throws InterruptedException {
        RunSessions.remove(host.build(), this);
        Optional<FilePath> place = place();
        if (place.isPresent()) {
            try {
                new AgentCalls.Remove(directory, keepFiles).on(place.get());
            } catch (IOException e) {
                // The run has ended all the same; its directory stays on the agent.
                LOGGER.log(Level.INFO, "cannot remove " + directory + " on " + Agents.display(node), e);
            }
        }
    }

    /** RPC options of the run and more of a step: the step's win. */
    Map<String, Object> rpc(Map<String, Object> more) {
        Map<String, Object> all = new TreeMap<>(options.rpc);
        all.putAll(more);
        return all;
    }

    /** A copy that travels. */
    static ArrayList<String> list(Iterable<String> items) {
        ArrayList<String> list = new ArrayList<>();
        items.forEach(list::add);
        return list;
    }
}
