// SPDX-License-Identifier: MIT
package jenkins.model;

import hudson.ExtensionPoint;
import hudson.model.ModelObject;

public abstract class GlobalConfigurationCategory implements ExtensionPoint, ModelObject {
    GlobalConfigurationCategory() {
        throw new UnsupportedOperationException();
    }
}
