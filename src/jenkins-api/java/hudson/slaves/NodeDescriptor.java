// SPDX-License-Identifier: MIT
package hudson.slaves;

import hudson.model.Descriptor;
import hudson.model.Node;

public abstract class NodeDescriptor extends Descriptor<Node> {
    NodeDescriptor() {
        throw new UnsupportedOperationException();
    }
}
