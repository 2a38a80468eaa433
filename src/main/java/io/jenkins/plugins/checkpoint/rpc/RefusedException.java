// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

/** A request that is answered with {@code success = false}: the message is for the client, the number goes into cr_errno. */
public final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final Errno errno;

    /**
     * Refuses a request.
     *
     * @param errno why, as a number
     * @param message why, in one line, with what to do about it
     */
    public RefusedException(Errno errno, String message) {
        super(message);
        this.errno = errno;
    }

    /**
     * Why, as a number.
     *
     * @return what goes into cr_errno
     */
    public Errno errno() {
        return errno;
    }
}
