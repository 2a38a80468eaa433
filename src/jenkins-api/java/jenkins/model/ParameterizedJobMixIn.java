// SPDX-License-Identifier: MIT
package jenkins.model;

import hudson.model.Action;
import hudson.model.BuildableItem;
import hudson.model.Job;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.model.queue.QueueTaskFuture;

public abstract class ParameterizedJobMixIn<JobT extends Job<JobT, RunT> & ParameterizedJobMixIn.ParameterizedJob<JobT, RunT> & Queue.Task, RunT extends Run<JobT, RunT> & Queue.Executable> {
    public final QueueTaskFuture<RunT> scheduleBuild2(int value, Action[] actions) {
        throw new UnsupportedOperationException();
    }

    public static Queue.Item scheduleBuild2(Job<?, ?> job, int value, Action[] actions) {
        throw new UnsupportedOperationException();
    }

    public final boolean isParameterized() {
        throw new UnsupportedOperationException();
    }

    ParameterizedJobMixIn() {
        throw new UnsupportedOperationException();
    }

    public interface ParameterizedJob<JobT extends Job<JobT, RunT> & ParameterizedJobMixIn.ParameterizedJob<JobT, RunT> & Queue.Task, RunT extends Run<JobT, RunT> & Queue.Executable> extends BuildableItem {
        default ParameterizedJobMixIn<JobT, RunT> getParameterizedJobMixIn() {
            throw new UnsupportedOperationException();
        }

        default QueueTaskFuture<RunT> scheduleBuild2(int value, Action[] actions) {
            throw new UnsupportedOperationException();
        }

        default boolean isParameterized() {
            throw new UnsupportedOperationException();
        }

        default boolean isDisabled() {
            throw new UnsupportedOperationException();
        }

        default boolean isBuildable() {
            throw new UnsupportedOperationException();
        }
    }
}
