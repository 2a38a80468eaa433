// SPDX-License-Identifier: MIT
package jenkins.tasks;

import hudson.EnvVars;
import hudson.FilePath;
import hudson.Launcher;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.tasks.BuildWrapper;
import java.io.IOException;
import java.io.Serializable;

public abstract class SimpleBuildWrapper extends BuildWrapper {
    public SimpleBuildWrapper() {
        throw new UnsupportedOperationException();
    }

    public boolean requiresWorkspace() {
        throw new UnsupportedOperationException();
    }

    public void setUp(SimpleBuildWrapper.Context context, Run<?, ?> run, FilePath filePath, Launcher launcher, TaskListener taskListener, EnvVars envVars) throws IOException, InterruptedException {
        throw new UnsupportedOperationException();
    }

    public void setUp(SimpleBuildWrapper.Context context, Run<?, ?> run, TaskListener taskListener, EnvVars envVars) throws IOException, InterruptedException {
        throw new UnsupportedOperationException();
    }

    public static final class Context {
        public Context() {
            throw new UnsupportedOperationException();
        }

        public void env(String text1, String text2) {
            throw new UnsupportedOperationException();
        }

        public void setDisposer(SimpleBuildWrapper.Disposer disposer) {
            throw new UnsupportedOperationException();
        }
    }

    public static abstract class Disposer implements Serializable {
        public Disposer() {
            throw new UnsupportedOperationException();
        }

        public final boolean requiresWorkspace() {
            throw new UnsupportedOperationException();
        }

        public void tearDown(Run<?, ?> run, FilePath filePath, Launcher launcher, TaskListener taskListener) throws IOException, InterruptedException {
            throw new UnsupportedOperationException();
        }

        public void tearDown(Run<?, ?> run, TaskListener taskListener) throws IOException, InterruptedException {
            throw new UnsupportedOperationException();
        }
    }
}
