// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/**
 * Where a service listens: a path in the file system, or a name in Linux' abstract namespace (unix(7)).
 *
 * @param text the path, or {@code @} and the abstract name
 */
public record RpcAddress(String text) {
    /** Environment variable that holds the address of the agent's service. */
    public static final String ENVIRONMENT = "CHECKPOINT_SERVICE_SOCKET";

    /** Longest path or name, in bytes: sun_path of struct sockaddr_un is 108, one of them the NUL. */
    public static final int MAX_LENGTH = 107;

    /**
     * Checks an address.
     *
     * @throws IllegalArgumentException if it is empty, has a NUL in it, or does not fit into a socket address
     */
    public RpcAddress {
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        if (text.isEmpty() || text.equals("@") || text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("socket address \"" + text.replace('\0', '?') + "\": expected a path or @name");
        }
        if (bytes > MAX_LENGTH) {
            throw new IllegalArgumentException("socket address " + text + " is " + bytes + " bytes long; a Unix socket's address has room for "
                    + MAX_LENGTH + ": choose a shorter path");
        }
    }

    /**
     * An address in the file system.
     *
     * @param path the socket file
     * @return its address
     * @throws IllegalArgumentException if the path does not fit into a socket address
     */
    public static RpcAddress of(Path path) {
        return new RpcAddress(path.toString());
    }

    /**
     * Says which kind of address this is.
     *
     * @return true for a name in the abstract namespace, which leaves no file behind and has no file permissions
     */
    public boolean isAbstract() {
        return text.startsWith("@");
    }

    /**
     * The socket file.
     *
     * @return its path
     * @throws IllegalStateException for an abstract address
     */
    public Path path() {
        if (isAbstract()) {
            throw new IllegalStateException(text + " is an abstract address");
        }
        return Path.of(text);
    }

    AFUNIXSocketAddress toSocketAddress() throws IOException {
        return isAbstract() ? AFUNIXSocketAddress.inAbstractNamespace(text.substring(1)) : AFUNIXSocketAddress.of(path());
    }

    @Override
    public String toString() {
        return text;
    }
}
