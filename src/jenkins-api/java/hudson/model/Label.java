// SPDX-License-Identifier: MIT
package hudson.model;

public abstract class Label extends Actionable implements Comparable<Label> {
    protected Label(String text) {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public final int compareTo(Label label) {
        throw new UnsupportedOperationException();
    }
}
