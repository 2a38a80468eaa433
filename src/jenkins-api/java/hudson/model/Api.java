// SPDX-License-Identifier: MIT
package hudson.model;

public class Api extends AbstractModelObject {
    public Api(Object object) {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }
}
