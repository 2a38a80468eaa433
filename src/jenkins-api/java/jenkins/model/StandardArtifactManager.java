// SPDX-License-Identifier: MIT
package jenkins.model;

import hudson.FilePath;
import hudson.Launcher;
import hudson.model.BuildListener;
import hudson.model.Run;
import java.io.IOException;
import java.util.Map;
import jenkins.util.VirtualFile;

public class StandardArtifactManager extends ArtifactManager {
    public StandardArtifactManager(Run<?, ?> run) {
        throw new UnsupportedOperationException();
    }

    public final void onLoad(Run<?, ?> run) {
        throw new UnsupportedOperationException();
    }

    public void archive(FilePath filePath, Launcher launcher, BuildListener buildListener, Map<String, String> map) throws IOException, InterruptedException {
        throw new UnsupportedOperationException();
    }

    public final boolean delete() throws IOException, InterruptedException {
        throw new UnsupportedOperationException();
    }

    public VirtualFile root() {
        throw new UnsupportedOperationException();
    }
}
