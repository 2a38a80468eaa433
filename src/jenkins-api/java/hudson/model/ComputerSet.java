// SPDX-License-Identifier: MIT
package hudson.model;

public final class ComputerSet extends AbstractModelObject implements Describable<ComputerSet> {
    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    ComputerSet() {
        throw new UnsupportedOperationException();
    }
}
