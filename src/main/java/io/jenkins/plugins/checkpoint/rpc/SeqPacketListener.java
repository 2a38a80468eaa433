// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.newsclub.net.unix.AFSocketType;
import org.newsclub.net.unix.AFUNIXDatagramSocket;

/** A listening SOCK_SEQPACKET socket. */
final class SeqPacketListener implements Closeable {
    private static final int BACKLOG = 64;

    private final RpcAddress address;
    private final AFUNIXDatagramSocket socket;

    private SeqPacketListener(RpcAddress address, AFUNIXDatagramSocket socket) {
        this.address = address;
        this.socket = socket;
    }

    /**
     * Binds and listens. A socket file that nobody listens on any more is replaced; anything else at that path is left alone.
     *
     * @param address where
     * @param mode permissions of the socket file, as in {@code rw-rw-rw-}; of no use for an abstract address
     * @throws IOException if the address is taken or cannot be made
     */
    static SeqPacketListener bind(RpcAddress address, String mode) throws IOException {
        if (!address.isAbstract()) {
            removeStale(address);
        }
        AFUNIXDatagramSocket socket = AFUNIXDatagramSocket.newInstance(AFSocketType.SOCK_SEQPACKET);
        try {
            socket.bind(address.toSocketAddress());
            if (!address.isAbstract()) {
                Files.setPosixFilePermissions(address.path(), PosixFilePermissions.fromString(mode));
            }
            socket.listen(BACKLOG);
        } catch (IOException e) {
            socket.close();
            throw new IOException("cannot listen on " + address + ": " + e.getMessage(), e);
        }
        return new SeqPacketListener(address, socket);
    }

    private static void removeStale(RpcAddress address) throws IOException {
        Path path = address.path();
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        // S_IFMT and S_IFSOCK of inode(7).
        int type = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 0170000;
        if (type != 0140000) {
            throw new IOException("cannot listen on " + address + ": something that is not a socket is in its place; remove it or choose another address");
        }
        try (SeqPacketSocket other = SeqPacketSocket.connect(address)) {
            throw new IOException("cannot listen on " + address + ": process " + other.peer().pid() + " listens there already");
        } catch (IOException e) {
            if (e.getMessage().startsWith("cannot listen")) {
                throw e;
            }
        }
        Files.delete(path);
    }

    /** Waits for a client; throws when the listener is closed. */
    SeqPacketSocket accept() throws IOException {
        return SeqPacketSocket.of((AFUNIXDatagramSocket) socket.accept());
    }

    /** Stops listening and removes the socket file. */
    @Override
    public void close() throws IOException {
        if (socket.isClosed()) {
            return;
        }
        socket.close();
        if (!address.isAbstract()) {
            Files.deleteIfExists(address.path());
        }
    }
}
