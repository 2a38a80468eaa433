// SPDX-License-Identifier: MIT
package hudson.model;

import hudson.ExtensionPoint;
import hudson.PermalinkList;
import hudson.security.ACL;
import hudson.util.RunList;
import java.io.IOException;
import java.util.List;

public abstract class Job<JobT extends Job<JobT, RunT>, RunT extends Run<JobT, RunT>> extends AbstractItem implements ExtensionPoint {
    public void save() throws IOException {
        throw new UnsupportedOperationException();
    }

    public <T extends JobProperty> T getProperty(Class<T> type) {
        throw new UnsupportedOperationException();
    }

    public abstract boolean isBuildable();

    public RunList<RunT> getBuilds() {
        throw new UnsupportedOperationException();
    }

    public RunList<RunT> getNewBuilds() {
        throw new UnsupportedOperationException();
    }

    public RunT getBuildByNumber(int value) {
        throw new UnsupportedOperationException();
    }

    public RunT getNearestOldBuild(int value) {
        throw new UnsupportedOperationException();
    }

    public RunT getLastBuild() {
        throw new UnsupportedOperationException();
    }

    public RunT getLastSuccessfulBuild() {
        throw new UnsupportedOperationException();
    }

    public RunT getLastUnsuccessfulBuild() {
        throw new UnsupportedOperationException();
    }

    public RunT getLastUnstableBuild() {
        throw new UnsupportedOperationException();
    }

    public RunT getLastStableBuild() {
        throw new UnsupportedOperationException();
    }

    public RunT getLastFailedBuild() {
        throw new UnsupportedOperationException();
    }

    public RunT getLastCompletedBuild() {
        throw new UnsupportedOperationException();
    }

    public List<RunT> getLastBuildsOverThreshold(int value, Result result) {
        throw new UnsupportedOperationException();
    }

    public PermalinkList getPermalinks() {
        throw new UnsupportedOperationException();
    }

    public ACL getACL() {
        throw new UnsupportedOperationException();
    }

    Job() {
        throw new UnsupportedOperationException();
    }
}
