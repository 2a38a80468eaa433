// SPDX-License-Identifier: MIT
package hudson.model;

public class FreeStyleBuild extends Build<FreeStyleProject, FreeStyleBuild> {
    public void run() {
        throw new UnsupportedOperationException();
    }

    FreeStyleBuild() {
        throw new UnsupportedOperationException();
    }
}
