// SPDX-License-Identifier: MIT
package hudson.model;

import hudson.ExtensionPoint;
import hudson.FilePath;
import hudson.model.labels.LabelAtom;
import hudson.remoting.VirtualChannel;
import hudson.security.ACL;
import hudson.security.AccessControlled;
import java.io.IOException;

public abstract class Node extends AbstractModelObject implements ReconfigurableDescribable<Node>, ExtensionPoint, AccessControlled {
    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public void save() throws IOException {
        throw new UnsupportedOperationException();
    }

    public abstract String getNodeName();

    public final Computer toComputer() {
        throw new UnsupportedOperationException();
    }

    public final VirtualChannel getChannel() {
        throw new UnsupportedOperationException();
    }

    public LabelAtom getSelfLabel() {
        throw new UnsupportedOperationException();
    }

    public abstract FilePath getRootPath();

    public FilePath createPath(String text) {
        throw new UnsupportedOperationException();
    }

    public ACL getACL() {
        throw new UnsupportedOperationException();
    }

    Node() {
        throw new UnsupportedOperationException();
    }
}
