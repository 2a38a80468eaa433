// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.EnvVars;
import hudson.Extension;
import hudson.FilePath;
import hudson.Launcher;
import hudson.model.AbstractProject;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.slaves.WorkspaceList;
import hudson.tasks.BuildWrapperDescriptor;
import java.io.IOException;
import java.util.UUID;
import jenkins.tasks.SimpleBuildWrapper;
import org.jenkinsci.Symbol;
import org.kohsuke.stapler.DataBoundConstructor;

/** {@code withCheckpointService { }}: a CRIU RPC service for whatever runs inside, its socket in {@code CHECKPOINT_SERVICE_SOCKET}. */
public final class CheckpointServiceWrapper extends SimpleBuildWrapper {
    private static final String ENVIRONMENT = "CHECKPOINT_SERVICE_SOCKET";

    /** A wrapper. */
    @DataBoundConstructor
    public CheckpointServiceWrapper() {}

    @Override
    public void setUp(Context context, Run<?, ?> build, FilePath workspace, Launcher launcher, TaskListener listener, EnvVars environment)
            throws IOException, InterruptedException {
        FilePath temporary = WorkspaceList.tempDir(workspace);
        String directory = (temporary == null ? workspace : temporary).child("checkpoint-service-" + UUID.randomUUID()).getRemote();
        try {
            context.env(ENVIRONMENT, new AgentCalls.StartService(directory).on(workspace));
        } catch (IOException e) {
            throw new AbortException(Messages.Service_Failed(Errors.line(e)));
        }
        context.setDisposer(new End(directory));
    }

    /** Ends the service; kept in the build's state. */
    private static final class End extends Disposer {
        private static final long serialVersionUID = 1;
        private final String directory;

        End(String directory) {
            this.directory = directory;
        }

        @Override
        public void tearDown(Run<?, ?> build, FilePath workspace, Launcher launcher, TaskListener listener) throws IOException, InterruptedException {
            new AgentCalls.Stop(directory).on(workspace);
            new AgentCalls.Remove(directory, false).on(workspace);
        }
    }

    /** Its name. */
    @Extension
    @Symbol("withCheckpointService")
    public static final class DescriptorImpl extends BuildWrapperDescriptor {
        @Override
        public String getDisplayName() {
            return Messages.Service_DisplayName();
        }

        @Override
        public boolean isApplicable(AbstractProject<?, ?> project) {
            return true;
        }
    }
}
