// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.FilePath;
import io.jenkins.plugins.checkpoint.agent.DumpProgress;
import io.jenkins.plugins.checkpoint.agent.DumpRequest;
import io.jenkins.plugins.checkpoint.agent.DumpResult;
import io.jenkins.plugins.checkpoint.agent.RunEndedException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import jenkins.util.Timer;

/** One checkpoint after another: asks the agent for it, tells the console of it, and makes it artifacts. */
final class SessionDumps {
    private static final long PROGRESS_SECONDS = 5;

    private SessionDumps() {}

    /**
     * Makes a checkpoint.
     *
     * @param session the run; for a dump by pid one that has not started
     * @param host the build
     * @param place a directory on the agent
     * @param options what the step says
     * @param pid of a process that is no run; 0 for the run
     * @param reason why
     * @param leaveRunning whether the processes go on
     * @param rpc RPC options
     * @return the checkpoint's number
     * @throws AbortException if it fails, in one line that says what to do
     */
    static int make(RunSession session, RunHost host, FilePath place, RunOptions options, int pid, CheckpointReason reason, boolean leaveRunning, Map<String, Object> rpc)
            throws IOException, InterruptedException {
        CheckpointConfiguration limits = CheckpointConfiguration.get();
        int number = CheckpointStore.nextNumber(host.build(), options.name);
        String label = CheckpointStore.label(options.name, number);
        if (limits.getMaxCheckpointsPerBuild() > 0 && number > limits.getMaxCheckpointsPerBuild()) {
            throw new AbortException(Messages.Dump_TooMany(label, String.valueOf(limits.getMaxCheckpointsPerBuild())));
        }
        Semaphore turn = Agents.dumpBegins(session.node, limits.getMaxConcurrentDumps());
        try {
            host.say(Messages.Dump_Begins(label, Agents.display(session.node), reason.word()));
            DumpResult result = dump(session, host, place, request(session, host, options, pid, number, leaveRunning, rpc, limits), label, reason);
            host.say(Messages.Dump_Done(label, String.valueOf(result.processes()), Sizes.bytes(result.imageBytes()), Sizes.bytes(result.archiveBytes()),
                    result.frozenMicros() > 0 ? Sizes.micros(result.frozenMicros()) : "?", Sizes.millis(result.dumpMillis()), Sizes.millis(result.packMillis())));
            store(session, host, place, options, number, label, reason, result);
            return number;
        } finally {
            turn.release();
        }
    }

    private static DumpRequest request(RunSession session, RunHost host, RunOptions options, int pid, int number, boolean leaveRunning, Map<String, Object> rpc,
            CheckpointConfiguration limits) {
        String engine = options.engine.equals("auto") ? limits.getEngine() : options.engine;
        return new DumpRequest(session.directory, pid, options.name, number, leaveRunning, new TreeMap<>(rpc), options.includes, options.excludes,
                options.compression > 0 ? options.compression : limits.getCompression(), limits.getMaxCheckpointMegabytes() * (1L << 20),
                rpc.containsKey("timeout") ? 0 : limits.getMaxDumpSeconds(), options.incremental, engine, RunSession.list(host.secrets()));
    }

    private static DumpResult dump(RunSession session, RunHost host, FilePath place, DumpRequest request, String label, CheckpointReason reason)
            throws IOException, InterruptedException {
        ScheduledFuture<?> progress = Timer.get().scheduleWithFixedDelay(new Progress(host, place, request, label), PROGRESS_SECONDS, PROGRESS_SECONDS, TimeUnit.SECONDS);
        try {
            return new AgentCalls.MakeDump(request).on(place);
        } catch (IOException e) {
            progress.cancel(false);
            if (e instanceof RunEndedException) {
                throw new AbortException(Messages.Dump_Ended(label));
            }
            boolean kept = archiveLog(session, host, place, request.number(), request.number() + ".dump.log");
            throw new AbortException(Messages.Dump_Failed(label, StepWords.of(Errors.line(e)),
                    kept ? Messages.Dump_SeeLog(CheckpointStore.path(request.name(), request.number() + ".dump.log")) : ""));
        } finally {
            progress.cancel(false);
        }
    }

    /** Prints bytes and rate while a dump goes on. */
    private static final class Progress implements Runnable {
        private final RunHost host;
        private final FilePath place;
        private final DumpRequest request;
        private final String label;
        private DumpProgress last = new DumpProgress(0, 0);

        Progress(RunHost host, FilePath place, DumpRequest request, String label) {
            this.host = host;
            this.place = place;
            this.request = request;
            this.label = label;
        }

        @Override
        public void run() {
            try {
                DumpProgress now = new AgentCalls.Progress(request.directory(), request.number()).on(place);
                if (now.archiveBytes() > last.archiveBytes()) {
                    host.say(Messages.Dump_Packing(label, Sizes.bytes(now.archiveBytes()), Sizes.bytes((now.archiveBytes() - last.archiveBytes()) / PROGRESS_SECONDS)));
                } else if (now.imageBytes() > last.imageBytes()) {
                    host.say(Messages.Dump_Writing(label, Sizes.bytes(now.imageBytes()), Sizes.bytes((now.imageBytes() - last.imageBytes()) / PROGRESS_SECONDS)));
                }
                last = now;
            } catch (IOException e) {
                // The dump itself will say so.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void store(RunSession session, RunHost host, FilePath place, RunOptions options, int number, String label, CheckpointReason reason, DumpResult result)
            throws IOException, InterruptedException {
        FilePath directory = new FilePath(place.getChannel(), result.directory());
        if (!options.archive) {
            session.keepFiles();
            host.say(Messages.Store_Local(label, directory.child(number + ".tar.zst").getRemote(), Agents.display(session.node)));
            return;
        }
        List<String> files = new ArrayList<>(new AgentCalls.Files(session.directory, number).on(place));
        try {
            CheckpointStore.upload(host, directory, files, options.name, number, result);
        } catch (IOException e) {
            String message = Messages.Upload_Failed(label, Errors.line(e), directory.getRemote(), Agents.display(session.node));
            session.uploadFailed(message);
            throw new AbortException(message);
        }
        session.uploaded();
        new AgentCalls.Forget(session.directory, number).on(place);
        host.say(Messages.Store_Done(label, CheckpointStore.path(options.name, number + ".tar.zst")));
        CheckpointRecords.add(host.build(), options.name, number, reason, session.node, result, files);
        int keep = options.keep > 0 ? options.keep : CheckpointConfiguration.get().getKeep();
        if (keep > 0 && !CheckpointStore.canRemove(host.build())) {
            session.tellOnce(host, Messages.Store_KeepsAll(String.valueOf(keep)));
        } else if (keep > 0) {
            for (int old : CheckpointStore.prune(host.build(), options.name, keep)) {
                CheckpointRecords.remove(host.build(), options.name, old);
                host.say(Messages.Store_Pruned(CheckpointStore.label(options.name, old), String.valueOf(keep)));
            }
        }
    }

    /** Makes the engine's log of something that failed an artifact, if there is one and it can be. */
    static boolean archiveLog(RunSession session, RunHost host, FilePath place, int number, String file) throws InterruptedException {
        try {
            FilePath directory = new FilePath(place.getChannel(), new AgentCalls.FilesDirectory(session.directory).on(place));
            if (!directory.child(file).exists()) {
                return false;
            }
            CheckpointStore.upload(host, directory, List.of(file), session.options.name, number, null);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
