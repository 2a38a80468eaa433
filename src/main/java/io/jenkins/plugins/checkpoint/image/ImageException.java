// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.io.IOException;
import java.nio.file.Path;

/** An image file that is missing, damaged, or of another kind than its name says. */
public final class ImageException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * Reports a file.
     *
     * @param file which
     * @param what is wrong with it
     */
    public ImageException(Path file, String what) {
        super(file + ": " + what);
    }
}
