// SPDX-License-Identifier: MIT
package hudson.model;

import io.jenkins.plugins.checkpoint.signatures.Signatures;
import java.util.List;

public interface PermalinkProjectAction extends Action {

    public static abstract class Permalink {
        public static final List<PermalinkProjectAction.Permalink> BUILTIN = Signatures.none();
        public abstract String getDisplayName();
        public abstract String getId();
        public abstract Run<?, ?> resolve(Job<?, ?> job);

        Permalink() {
            throw new UnsupportedOperationException();
        }
    }
}
