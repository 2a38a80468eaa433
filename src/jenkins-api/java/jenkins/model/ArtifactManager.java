// SPDX-License-Identifier: MIT
package jenkins.model;

import hudson.FilePath;
import hudson.Launcher;
import hudson.model.BuildListener;
import hudson.model.Run;
import java.io.IOException;
import java.util.Map;
import jenkins.util.VirtualFile;

public abstract class ArtifactManager {
    public ArtifactManager() {
        throw new UnsupportedOperationException();
    }

    public abstract void onLoad(Run<?, ?> run);
    public abstract void archive(FilePath filePath, Launcher launcher, BuildListener buildListener, Map<String, String> map) throws IOException, InterruptedException;
    public abstract boolean delete() throws IOException, InterruptedException;
    public abstract VirtualFile root();
}
