// SPDX-License-Identifier: MIT
package org.jenkinsci.plugins.workflow.steps;

public class MissingContextVariableException extends Exception {
    MissingContextVariableException() {
        throw new UnsupportedOperationException();
    }
}
