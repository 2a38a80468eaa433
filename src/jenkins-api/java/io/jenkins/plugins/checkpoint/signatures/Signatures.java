// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.signatures;

/** Values of constants that only the real classes know. */
public final class Signatures {
    private Signatures() {}

    /**
     * Stands for a constant. A method call, so that the compiler does not copy the value into what is compiled against it.
     *
     * @param <T> the constant's type
     * @return nothing
     */
    public static <T> T none() {
        return null;
    }
}
