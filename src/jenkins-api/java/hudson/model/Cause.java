// SPDX-License-Identifier: MIT
package hudson.model;

public abstract class Cause {
    public abstract String getShortDescription();

    public void onAddedTo(Run run) {
        throw new UnsupportedOperationException();
    }

    public void onAddedTo(AbstractBuild abstractBuild) {
        throw new UnsupportedOperationException();
    }

    public Cause() {
        throw new UnsupportedOperationException();
    }

    public static class UserIdCause extends Cause {
        public UserIdCause() {
            throw new UnsupportedOperationException();
        }

        public UserIdCause(String text) {
            throw new UnsupportedOperationException();
        }

        public String getUserId() {
            throw new UnsupportedOperationException();
        }

        public String getShortDescription() {
            throw new UnsupportedOperationException();
        }
    }
}
