// SPDX-License-Identifier: MIT
package hudson.model;

import java.util.Iterator;
import java.util.List;
import jenkins.model.RunAction2;

public class ParametersAction implements RunAction2, Iterable<ParameterValue> {
    public ParametersAction(List<ParameterValue> list) {
        throw new UnsupportedOperationException();
    }

    public ParametersAction(ParameterValue[] parameterValues) {
        throw new UnsupportedOperationException();
    }

    public Iterator<ParameterValue> iterator() {
        throw new UnsupportedOperationException();
    }

    public List<ParameterValue> getParameters() {
        throw new UnsupportedOperationException();
    }

    public ParameterValue getParameter(String text) {
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

    public void onAttached(Run<?, ?> run) {
        throw new UnsupportedOperationException();
    }

    public void onLoad(Run<?, ?> run) {
        throw new UnsupportedOperationException();
    }
}
