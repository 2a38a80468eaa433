// SPDX-License-Identifier: MIT
package hudson;

import hudson.model.AbstractModelObject;
import org.kohsuke.stapler.StaplerProxy;

public abstract class PluginManager extends AbstractModelObject implements StaplerProxy {
    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public Object getTarget() {
        throw new UnsupportedOperationException();
    }

    PluginManager() {
        throw new UnsupportedOperationException();
    }
}
