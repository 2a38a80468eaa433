// SPDX-License-Identifier: MIT
package hudson.model;

public class StringParameterValue extends ParameterValue {
    public StringParameterValue(String text1, String text2) {
        throw new UnsupportedOperationException();
    }

    public StringParameterValue(String text1, String text2, String text3) {
        throw new UnsupportedOperationException();
    }
}
