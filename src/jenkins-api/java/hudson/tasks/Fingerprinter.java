// SPDX-License-Identifier: MIT
package hudson.tasks;

import hudson.model.Run;
import java.io.Serializable;
import java.util.Map;
import jenkins.model.RunAction2;
import jenkins.tasks.SimpleBuildStep;

public class Fingerprinter extends Recorder implements Serializable, SimpleBuildStep {
    Fingerprinter() {
        throw new UnsupportedOperationException();
    }

    public static final class FingerprintAction implements RunAction2 {
        public FingerprintAction(Run run, Map<String, String> map) {
            throw new UnsupportedOperationException();
        }

        public void add(Map<String, String> map) {
            throw new UnsupportedOperationException();
        }

        public String getIconFileName() {
            throw new UnsupportedOperationException();
        }

        public String getDisplayName() {
            throw new UnsupportedOperationException();
        }

        public String getUrlName() {
            throw new UnsupportedOperationException();
        }

        public void onLoad(Run<?, ?> run) {
            throw new UnsupportedOperationException();
        }

        public void onAttached(Run<?, ?> run) {
            throw new UnsupportedOperationException();
        }
    }
}
