// SPDX-License-Identifier: MIT
package hudson.util;

import java.util.ArrayList;
import java.util.Collection;
import org.kohsuke.stapler.HttpResponse;

public class ComboBoxModel extends ArrayList<String> implements HttpResponse {
    public ComboBoxModel(int value) {
        throw new UnsupportedOperationException();
    }

    public ComboBoxModel() {
        throw new UnsupportedOperationException();
    }

    public ComboBoxModel(Collection<? extends String> collection) {
        throw new UnsupportedOperationException();
    }

    public ComboBoxModel(String[] strings) {
        throw new UnsupportedOperationException();
    }
}
