// SPDX-License-Identifier: MIT
package hudson.model.labels;

import hudson.model.Label;
import hudson.model.Saveable;
import java.io.IOException;

public class LabelAtom extends Label implements Saveable {
    public void save() throws IOException {
        throw new UnsupportedOperationException();
    }

    LabelAtom() {
        super((String) null); throw new UnsupportedOperationException();
    }
}
