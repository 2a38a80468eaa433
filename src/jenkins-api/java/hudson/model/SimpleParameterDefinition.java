// SPDX-License-Identifier: MIT
package hudson.model;

public abstract class SimpleParameterDefinition extends ParameterDefinition {
    public abstract ParameterValue createValue(String text);

    SimpleParameterDefinition() {
        throw new UnsupportedOperationException();
    }
}
