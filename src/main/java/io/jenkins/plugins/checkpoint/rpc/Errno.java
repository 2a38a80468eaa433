// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

/** Error numbers of {@code cr_errno} that the service gives, or names in its log (asm-generic/errno-base.h, errno.h). */
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
    /** Out of memory. */
    ENOMEM(12),
    /** No permission for a file. */
    EACCES(13),
    /** The process is traced by another. */
    EBUSY(16),
    /** Exists already, as a pid that is taken. */
    EEXIST(17),
    /** Not a directory. */
    ENOTDIR(20),
    /** The request makes no sense. */
    EINVAL(22),
    /** The disk is full. */
    ENOSPC(28),
    /** The client's message is no request. */
    EBADRQC(56),
    /** Read-only file system. */
    EROFS(30),
    /** Message too long. */
    EMSGSIZE(90),
    /** The engine at hand cannot do this. */
    EOPNOTSUPP(95),
    /** The client went away meanwhile. */
    ECONNABORTED(103),
    /** The service is stopping. */
    ESHUTDOWN(108),
    /** Took too long. */
    ETIMEDOUT(110),
    /** The client said no to a NOTIFY. */
    ECANCELED(125);

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
