// SPDX-License-Identifier: MIT
package hudson.slaves;

import hudson.FilePath;
import io.jenkins.plugins.checkpoint.signatures.Signatures;

public final class WorkspaceList {
    public static final String COMBINATOR = Signatures.none();
    public static final String TMP_DIR_SUFFIX = Signatures.none();

    public static FilePath tempDir(FilePath filePath) {
        throw new UnsupportedOperationException();
    }

    WorkspaceList() {
        throw new UnsupportedOperationException();
    }
}
