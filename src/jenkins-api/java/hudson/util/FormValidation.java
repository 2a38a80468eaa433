// SPDX-License-Identifier: MIT
package hudson.util;

import io.jenkins.plugins.checkpoint.signatures.Signatures;
import java.io.IOException;
import java.util.Collection;
import org.kohsuke.stapler.HttpResponse;

public abstract class FormValidation extends IOException implements HttpResponse {
    public final FormValidation.Kind kind = Signatures.none();

    public static FormValidation error(String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation warning(String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation ok(String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation ok() {
        throw new UnsupportedOperationException();
    }

    public static FormValidation ok(String text, Object[] objects) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation aggregate(Collection<FormValidation> collection) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation errorWithMarkup(String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation validateNonNegativeInteger(String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation validateIntegerInRange(String text, int value1, int value2) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation validatePositiveInteger(String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation validateRequired(String text) {
        throw new UnsupportedOperationException();
    }

    FormValidation() {
        throw new UnsupportedOperationException();
    }

    public enum Kind {
        OK, WARNING, ERROR;
    }
}
