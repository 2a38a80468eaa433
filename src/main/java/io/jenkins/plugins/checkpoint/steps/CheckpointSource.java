// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.model.Job;
import hudson.model.PermalinkProjectAction.Permalink;
import hudson.model.Run;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import jenkins.model.Jenkins;

/** One checkpoint of one build. */
final class CheckpointSource implements Serializable {
    private static final long serialVersionUID = 1;
    private static final int BUILDS_LOOKED_AT = 1000;

    private final String job;
    private final int build;
    private final String name;
    private final int number;
    private final boolean here;

    private CheckpointSource(Run<?, ?> build, String name, int number, boolean here) {
        this.job = build.getParent().getFullName();
        this.build = build.getNumber();
        this.name = name;
        this.number = number;
        this.here = here;
    }

    /**
     * Finds what a step asks for. To be called with the rights of the build.
     *
     * @param current the build that restores
     * @param name of the checkpoint
     * @param number which of them; 0 for the last
     * @param project another job, relative to this one; null or blank for this
     * @param selector which of its builds: a number, {@code lastWithCheckpoint}, {@code lastSuccessful}, a permalink; null or blank for this build, or the
     *     last successful of another job
     * @return the checkpoint
     * @throws AbortException if there is none, or it may not be restored; the message says what there is
     */
    static CheckpointSource find(Run<?, ?> current, String name, int number, String project, String selector) throws IOException {
        boolean otherJob = project != null && !project.isBlank();
        Job<?, ?> job = otherJob ? findJob(current, project.strip()) : current.getParent();
        Run<?, ?> build = selector == null || selector.isBlank()
                ? otherJob ? select(job, current, "lastSuccessful", name) : current
                : select(job, current, selector.strip(), name);
        if (!build.getParent().equals(current.getParent())) {
            CheckpointRights.requireRestore(current, build);
        }
        Set<Integer> numbers = CheckpointStore.numbers(build, name);
        if (numbers.isEmpty()) {
            List<String> names = CheckpointStore.names(build);
            throw new AbortException(names.isEmpty() ? Messages.Source_NoCheckpoints(display(build), name) : Messages.Source_NoSuchName(display(build), name, String.join(", ", names)));
        }
        if (number > 0 && !numbers.contains(number)) {
            throw new AbortException(Messages.Source_NoSuchNumber(display(build), name, String.valueOf(number), numbers.toString()));
        }
        return new CheckpointSource(build, name, number > 0 ? number : new TreeSet<>(numbers).last(), build.equals(current));
    }

    /**
     * A checkpoint that somebody asked for who had the right to.
     *
     * @throws AbortException if it is not there any more
     */
    static CheckpointSource of(String project, int build, String name, int number) throws IOException {
        Job<?, ?> job = Jenkins.get().getItemByFullName(project, Job.class);
        Run<?, ?> run = job == null ? null : job.getBuildByNumber(build);
        if (run == null || !CheckpointStore.numbers(run, name).contains(number)) {
            throw new AbortException(Messages.Source_Gone(CheckpointStore.label(name, number), project + " #" + build));
        }
        return new CheckpointSource(run, name, number, false);
    }

    @SuppressWarnings("rawtypes")
    private static Job<?, ?> findJob(Run<?, ?> current, String project) throws AbortException {
        Job job = Jenkins.get().getItem(project, current.getParent(), Job.class);
        if (job == null) {
            throw new AbortException(Messages.Source_NoJob(project));
        }
        return job;
    }

    private static Run<?, ?> select(Job<?, ?> job, Run<?, ?> current, String selector, String name) throws IOException {
        if (selector.matches("#?\\d{1,9}")) {
            Run<?, ?> build = job.getBuildByNumber(Integer.parseInt(selector.replace("#", "")));
            if (build == null) {
                throw new AbortException(Messages.Source_NoBuild(job.getFullName(), selector));
            }
            return build;
        }
        if (selector.equals("lastWithCheckpoint")) {
            int looked = 0;
            for (Run<?, ?> build = job.getLastBuild(); build != null && looked < BUILDS_LOOKED_AT; build = build.getPreviousBuild(), looked++) {
                if (!build.equals(current) && !CheckpointStore.numbers(build, name).isEmpty()) {
                    return build;
                }
            }
            throw new AbortException(Messages.Source_NoneHas(job.getFullName(), name));
        }
        for (Permalink permalink : job.getPermalinks()) {
            if (permalink.getId().equals(selector) || permalink.getId().equals(selector + "Build")) {
                Run<?, ?> build = permalink.resolve(job);
                if (build == null) {
                    throw new AbortException(Messages.Source_NoSuchBuild(job.getFullName(), selector));
                }
                return build;
            }
        }
        throw new AbortException(Messages.Selector_Invalid(selector));
    }

    private static String display(Run<?, ?> build) {
        return build.getParent().getFullName() + " #" + build.getNumber();
    }

    private Run<?, ?> build() throws IOException {
        Job<?, ?> found = Jenkins.get().getItemByFullName(job, Job.class);
        Run<?, ?> run = found == null ? null : found.getBuildByNumber(build);
        if (run == null) {
            throw new AbortException(Messages.Source_NoBuild(job, String.valueOf(build)));
        }
        return run;
    }

    /** For the console. */
    String label() {
        return CheckpointStore.label(name, number) + (here ? "" : " (" + job + " #" + build + ")");
    }

    /** Bytes of the archive. */
    long size() throws IOException {
        return CheckpointStore.size(build(), name, number);
    }

    /** The archive, to be streamed. */
    InputStream open() throws IOException {
        return CheckpointStore.open(build(), name, number);
    }
}
