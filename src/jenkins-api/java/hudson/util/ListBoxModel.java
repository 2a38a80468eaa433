// SPDX-License-Identifier: MIT
package hudson.util;

import hudson.model.ModelObject;
import java.util.ArrayList;
import org.kohsuke.stapler.HttpResponse;

public class ListBoxModel extends ArrayList<ListBoxModel.Option> implements HttpResponse {
    public ListBoxModel() {
        throw new UnsupportedOperationException();
    }

    public void add(String text1, String text2) {
        throw new UnsupportedOperationException();
    }

    public void add(ModelObject modelObject, String text) {
        throw new UnsupportedOperationException();
    }

    public ListBoxModel add(String text) {
        throw new UnsupportedOperationException();
    }

    public static final class Option {
        public Option(String text1, String text2) {
            throw new UnsupportedOperationException();
        }

        public Option(String text) {
            throw new UnsupportedOperationException();
        }

        public Option(String text1, String text2, boolean value) {
            throw new UnsupportedOperationException();
        }
    }
}
