// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.FilePath;
import io.jenkins.plugins.checkpoint.agent.Dump;
import io.jenkins.plugins.checkpoint.agent.DumpProgress;
import io.jenkins.plugins.checkpoint.agent.DumpRequest;
import io.jenkins.plugins.checkpoint.agent.DumpResult;
import io.jenkins.plugins.checkpoint.agent.Machine;
import io.jenkins.plugins.checkpoint.agent.MachineCheck;
import io.jenkins.plugins.checkpoint.agent.Restore;
import io.jenkins.plugins.checkpoint.agent.RestoreRequest;
import io.jenkins.plugins.checkpoint.agent.RestoreResult;
import io.jenkins.plugins.checkpoint.agent.RunRequest;
import io.jenkins.plugins.checkpoint.agent.RunState;
import io.jenkins.plugins.checkpoint.agent.Service;
import io.jenkins.plugins.checkpoint.agent.ShutdownWatch;
import java.io.IOException;
import java.util.ArrayList;
import jenkins.security.MasterToSlaveCallable;

/** What is done on an agent; nothing that comes back is taken for a path or a command on the controller. */
final class AgentCalls {
    private AgentCalls() {}

    /** Work that travels from the controller to an agent, never the other way. */
    abstract static class Work<T> extends MasterToSlaveCallable<T, IOException> {
        private static final long serialVersionUID = 1;

        abstract T run() throws IOException, InterruptedException;

        @Override
        public final T call() throws IOException {
            try {
                return run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }

        /**
         * Does it where a directory is.
         *
         * @param place a directory on the agent
         * @return what it gives back
         * @throws IOException if it fails there, or the agent cannot be reached
         */
        final T on(FilePath place) throws IOException, InterruptedException {
            return place.act(this);
        }
    }

    /** Starts a run. */
    static final class Start extends Work<Void> {
        private static final long serialVersionUID = 1;
        private final RunRequest request;

        Start(RunRequest request) {
            this.request = request;
        }

        @Override
        Void run() throws IOException, InterruptedException {
            io.jenkins.plugins.checkpoint.agent.Run.start(request);
            return null;
        }
    }

    /** Looks at a run. */
    static final class Look extends Work<RunState> {
        private static final long serialVersionUID = 1;
        private final String directory;
        private final long offset;
        private final boolean watchShutdown;

        Look(String directory, long offset, boolean watchShutdown) {
            this.directory = directory;
            this.offset = offset;
            this.watchShutdown = watchShutdown;
        }

        @Override
        RunState run() throws IOException, InterruptedException {
            if (watchShutdown) {
                ShutdownWatch.watch(directory);
            }
            return io.jenkins.plugins.checkpoint.agent.Run.look(directory, offset);
        }
    }

    /** What a run printed on standard output. */
    static final class Output extends Work<String> {
        private static final long serialVersionUID = 1;
        private final String directory;

        Output(String directory) {
            this.directory = directory;
        }

        @Override
        String run() throws IOException, InterruptedException {
            return io.jenkins.plugins.checkpoint.agent.Run.output(directory);
        }
    }

    /** Lets a failed script end. */
    static final class GoOn extends Work<Void> {
        private static final long serialVersionUID = 1;
        private final String directory;

        GoOn(String directory) {
            this.directory = directory;
        }

        @Override
        Void run() throws IOException, InterruptedException {
            io.jenkins.plugins.checkpoint.agent.Run.goOn(directory);
            return null;
        }
    }

    /** Lets an agent that shuts down go. */
    static final class Release extends Work<Void> {
        private static final long serialVersionUID = 1;
        private final String directory;

        Release(String directory) {
            this.directory = directory;
        }

        @Override
        Void run() throws IOException, InterruptedException {
            io.jenkins.plugins.checkpoint.agent.Run.release(directory);
            return null;
        }
    }

    /** Ends a run's processes. */
    static final class Stop extends Work<Void> {
        private static final long serialVersionUID = 1;
        private final String directory;

        Stop(String directory) {
            this.directory = directory;
        }

        @Override
        Void run() throws IOException, InterruptedException {
            io.jenkins.plugins.checkpoint.agent.Run.stop(directory);
            return null;
        }
    }

    /** Removes what a run kept. */
    static final class Remove extends Work<Void> {
        private static final long serialVersionUID = 1;
        private final String directory;
        private final boolean keepCheckpoints;

        Remove(String directory, boolean keepCheckpoints) {
            this.directory = directory;
            this.keepCheckpoints = keepCheckpoints;
        }

        @Override
        Void run() throws IOException, InterruptedException {
            io.jenkins.plugins.checkpoint.agent.Run.remove(directory, keepCheckpoints);
            return null;
        }
    }

    /** Makes a checkpoint. */
    static final class MakeDump extends Work<DumpResult> {
        private static final long serialVersionUID = 1;
        private final DumpRequest request;

        MakeDump(DumpRequest request) {
            this.request = request;
        }

        @Override
        DumpResult run() throws IOException, InterruptedException {
            return Dump.make(request);
        }
    }

    /** How far a checkpoint is. */
    static final class Progress extends Work<DumpProgress> {
        private static final long serialVersionUID = 1;
        private final String directory;
        private final int number;

        Progress(String directory, int number) {
            this.directory = directory;
            this.number = number;
        }

        @Override
        DumpProgress run() throws IOException, InterruptedException {
            return Dump.progress(directory, number);
        }
    }

    /** Which files a checkpoint has. */
    static final class Files extends Work<ArrayList<String>> {
        private static final long serialVersionUID = 1;
        private final String directory;
        private final int number;

        Files(String directory, int number) {
            this.directory = directory;
            this.number = number;
        }

        @Override
        ArrayList<String> run() throws IOException, InterruptedException {
            return new ArrayList<>(Dump.files(directory, number));
        }
    }

    /** Where they are. */
    static final class FilesDirectory extends Work<String> {
        private static final long serialVersionUID = 1;
        private final String directory;

        FilesDirectory(String directory) {
            this.directory = directory;
        }

        @Override
        String run() throws IOException, InterruptedException {
            return Dump.filesDirectory(directory);
        }
    }

    /** Removes them. */
    static final class Forget extends Work<Void> {
        private static final long serialVersionUID = 1;
        private final String directory;
        private final int number;

        Forget(String directory, int number) {
            this.directory = directory;
            this.number = number;
        }

        @Override
        Void run() throws IOException, InterruptedException {
            Dump.forget(directory, number);
            return null;
        }
    }

    /** Brings a checkpoint back. */
    static final class MakeRestore extends Work<RestoreResult> {
        private static final long serialVersionUID = 1;
        private final RestoreRequest request;

        MakeRestore(RestoreRequest request) {
            this.request = request;
        }

        @Override
        RestoreResult run() throws IOException, InterruptedException {
            return Restore.run(request);
        }
    }

    /** Fails unless the engine can run there. */
    static final class RequireSupported extends Work<Void> {
        private static final long serialVersionUID = 1;

        @Override
        Void run() throws IOException {
            Machine.requireSupported();
            return null;
        }
    }

    /** What the engine says of the machine. */
    static final class Check extends Work<MachineCheck> {
        private static final long serialVersionUID = 1;

        @Override
        MachineCheck run() throws IOException, InterruptedException {
            return Machine.check();
        }
    }

    /** Starts a service. */
    static final class StartService extends Work<String> {
        private static final long serialVersionUID = 1;
        private final String directory;

        StartService(String directory) {
            this.directory = directory;
        }

        @Override
        String run() throws IOException, InterruptedException {
            return Service.start(directory);
        }
    }
}
