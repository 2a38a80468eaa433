// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

/** The error numbers that the service itself puts into {@code cr_errno} (asm-generic/errno-base.h, errno.h). */
public enum Errno {
    /** Not allowed for this client. */
    EPERM(1),
    /** No such file or directory. */
    ENOENT(2),
    /** No such process. */
    ESRCH(3),
    /** The engine broke. */
    EIO(5),
    /** No such descriptor in the client. */
    EBADF(9),
    /** For now: too many clients. */
    EAGAIN(11),
    /** The process is traced by another. */
    EBUSY(16),
    /** Not a directory. */
    ENOTDIR(20),
    /** The request makes no sense. */
    EINVAL(22),
    /** Message too long. */
    EMSGSIZE(90),
    /** The engine at hand cannot do this. */
    EOPNOTSUPP(95);

    private final int number;

    Errno(int number) {
        this.number = number;
    }

    /**
     * The number on the wire.
     *
     * @return a positive errno
     */
    public int number() {
        return number;
    }

    /**
     * Names a number.
     *
     * @param number an errno
     * @return its name if it is one of these, else {@code errno N}
     */
    public static String nameOf(int number) {
        for (Errno errno : values()) {
            if (errno.number == number) {
                return errno.name();
            }
        }
        return "errno " + number;
    }
}
