// SPDX-License-Identifier: MIT
package hudson.model;

public class FreeStyleProject extends Project<FreeStyleProject, FreeStyleBuild> implements TopLevelItem {
    FreeStyleProject() {
        throw new UnsupportedOperationException();
    }
}
