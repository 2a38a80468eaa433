// SPDX-License-Identifier: MIT
package hudson.model;

import java.util.List;
import jenkins.model.OptionalJobProperty;

public class ParametersDefinitionProperty extends OptionalJobProperty<Job<?, ?>> implements Action {
    public List<ParameterDefinition> getParameterDefinitions() {
        throw new UnsupportedOperationException();
    }

    public ParameterDefinition getParameterDefinition(String text) {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public String getIconFileName() {
        throw new UnsupportedOperationException();
    }

    public String getUrlName() {
        throw new UnsupportedOperationException();
    }

    ParametersDefinitionProperty() {
        throw new UnsupportedOperationException();
    }
}
