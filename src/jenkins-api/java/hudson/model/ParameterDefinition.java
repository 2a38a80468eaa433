// SPDX-License-Identifier: MIT
package hudson.model;

import hudson.ExtensionPoint;
import java.io.Serializable;
import net.sf.json.JSONObject;
import org.kohsuke.stapler.StaplerRequest2;

public abstract class ParameterDefinition implements Describable<ParameterDefinition>, ExtensionPoint, Serializable {
    public String getType() {
        throw new UnsupportedOperationException();
    }

    public String getName() {
        throw new UnsupportedOperationException();
    }

    public String getDescription() {
        throw new UnsupportedOperationException();
    }

    public ParameterDefinition.ParameterDescriptor getDescriptor() {
        throw new UnsupportedOperationException();
    }

    public ParameterValue createValue(StaplerRequest2 staplerRequest2, JSONObject jSONObject) {
        throw new UnsupportedOperationException();
    }

    public ParameterDefinition copyWithDefaultValue(ParameterValue parameterValue) {
        throw new UnsupportedOperationException();
    }

    public ParameterValue getDefaultParameterValue() {
        throw new UnsupportedOperationException();
    }

    ParameterDefinition() {
        throw new UnsupportedOperationException();
    }

    public static abstract class ParameterDescriptor extends Descriptor<ParameterDefinition> {
        ParameterDescriptor() {
            throw new UnsupportedOperationException();
        }
    }
}
