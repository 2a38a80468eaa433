// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.util.List;

/**
 * An open descriptor.
 *
 * @param number of it
 * @param kind as the images name it: {@code reg}, {@code pipe}, {@code unixsk}, ...
 * @param what the same in plain words, such as {@code file}, {@code TCP socket}
 * @param name path or other name; empty if the kind has none
 * @param access {@code r}, {@code w}, {@code rw}, or empty where that means nothing
 * @param closeOnExec FD_CLOEXEC
 * @param position offset in bytes; 0 for kinds that have none
 * @param size of the file, in bytes; -1 if the images do not tell
 * @param socket addresses and state; null if it is no socket
 * @param detail what else there is to say of this kind, such as a counter; empty for nothing
 * @param file number of the open file: descriptors with the same one share offset and flags
 * @param peers descriptors in this checkpoint at the other end: of a pipe, a connection, a terminal; at most {@link #MAX_ENDS}
 * @param sharers other descriptors of the same open file; at most {@link #MAX_ENDS}
 */
public record Descriptor(int number, String kind, String what, String name, String access, boolean closeOnExec, long position, long size, Socket socket,
        String detail, long file, List<End> peers, List<End> sharers) {
    /** How many ends are listed. */
    public static final int MAX_ENDS = 8;

    /**
     * A descriptor of some process.
     *
     * @param pid whose
     * @param number its number there
     */
    public record End(int pid, int number) {}

    /**
     * What a socket is.
     *
     * @param state as ss(8) names it, such as {@code LISTEN}
     * @param local address, or a Unix socket's path
     * @param remote address of the other end; empty for none
     */
    public record Socket(String state, String local, String remote) {}
}
