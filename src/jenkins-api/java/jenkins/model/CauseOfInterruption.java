// SPDX-License-Identifier: MIT
package jenkins.model;

import hudson.model.User;
import java.io.Serializable;

public abstract class CauseOfInterruption implements Serializable {
    public CauseOfInterruption() {
        throw new UnsupportedOperationException();
    }

    public abstract String getShortDescription();

    public static final class UserInterruption extends CauseOfInterruption {
        public UserInterruption(User user) {
            throw new UnsupportedOperationException();
        }

        public UserInterruption(String text) {
            throw new UnsupportedOperationException();
        }

        public String getShortDescription() {
            throw new UnsupportedOperationException();
        }
    }
}
