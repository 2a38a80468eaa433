// SPDX-License-Identifier: MIT
package hudson.model;

import hudson.console.ConsoleNote;
import io.jenkins.plugins.checkpoint.signatures.Signatures;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;

public interface TaskListener {
    TaskListener NULL = Signatures.none();
    PrintStream getLogger();

    default void annotate(ConsoleNote consoleNote) throws IOException {
        throw new UnsupportedOperationException();
    }

    default void hyperlink(String text1, String text2) throws IOException {
        throw new UnsupportedOperationException();
    }

    default PrintWriter error(String text) {
        throw new UnsupportedOperationException();
    }

    default PrintWriter error(String text, Object[] objects) {
        throw new UnsupportedOperationException();
    }

    default PrintWriter fatalError(String text) {
        throw new UnsupportedOperationException();
    }

    default PrintWriter fatalError(String text, Object[] objects) {
        throw new UnsupportedOperationException();
    }
}
