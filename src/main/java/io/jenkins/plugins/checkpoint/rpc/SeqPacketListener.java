// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import java.io.Closeable;
import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import org.newsclub.net.unix.AFSocketType;
import org.newsclub.net.unix.AFUNIXDatagramSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.FileDescriptorCast;

/** A listening SOCK_SEQPACKET socket. */
final class SeqPacketListener implements Closeable {
    // bits/socket_type.h
    private static final int SOCK_SEQPACKET = 5;
    private static final int BACKLOG = 1024;

    private final RpcAddress address;
    private final AFUNIXDatagramSocket socket;
    private final boolean ownsFile;

    private SeqPacketListener(RpcAddress address, AFUNIXDatagramSocket socket, boolean ownsFile) {
        this.address = address;
        this.socket = socket;
        this.ownsFile = ownsFile;
    }

    /**
     * Binds and listens. A socket file that nobody listens on any more is replaced; anything else at that path is left alone.
     *
     * @param address where
     * @param mode permissions of the socket file, as in {@code rw-rw-rw-}; of no use for an abstract address
     * @param group its group; empty to leave it
     * @throws IOException if the address is taken or cannot be made
     */
    static SeqPacketListener bind(RpcAddress address, String mode, String group) throws IOException {
        if (!address.isAbstract()) {
            removeStale(address);
        }
        AFUNIXDatagramSocket socket = AFUNIXDatagramSocket.newInstance(AFSocketType.SOCK_SEQPACKET);
        boolean bound = false;
        try {
            socket.bind(address.toSocketAddress());
            bound = true;
            if (!address.isAbstract()) {
                if (!group.isEmpty()) {
                    setGroup(address.path(), group);
                }
                // Nobody can connect before listen(): until here the file's first permissions do no harm.
                Files.setPosixFilePermissions(address.path(), PosixFilePermissions.fromString(mode));
            }
            socket.listen(BACKLOG);
        } catch (IOException e) {
            socket.close();
            if (bound && !address.isAbstract()) {
                Files.deleteIfExists(address.path());
            }
            throw new IOException("cannot listen on " + address + ": " + e.getMessage(), e);
        }
        return new SeqPacketListener(address, socket, true);
    }

    private static void setGroup(Path socket, String group) throws IOException {
        GroupPrincipal principal;
        try {
            principal = socket.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName(group);
        } catch (UserPrincipalNotFoundException e) {
            throw new IOException("no group is called " + group);
        }
        Files.getFileAttributeView(socket, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS).setGroup(principal);
    }

    /**
     * Takes over a socket that is bound and listening already, as systemd gives one (sd_listen_fds(3)). Its file stays when it is closed.
     *
     * @param descriptor its number in this process
     * @throws IOException if that is no SOCK_SEQPACKET Unix socket
     */
    static SeqPacketListener inherited(int descriptor) throws IOException {
        try {
            // What the library casts descriptors to are streams and datagrams; a SEQPACKET socket has no public way in.
            AFUNIXDatagramSocket.newInstance(AFSocketType.SOCK_SEQPACKET).close();
            Method adopt = AFUNIXDatagramSocket.class.getDeclaredMethod("newInstance", FileDescriptor.class, int.class, int.class);
            adopt.setAccessible(true);
            FileDescriptor fd = FileDescriptorCast.unsafeUsing(descriptor).as(FileDescriptor.class);
            AFUNIXDatagramSocket socket = (AFUNIXDatagramSocket) adopt.invoke(null, fd, 0, 0);
            AFUNIXSocketAddress local = socket.getLocalSocketAddress();
            if (local == null || socketType(descriptor) != SOCK_SEQPACKET) {
                throw new IOException("descriptor " + descriptor + ", which this process was started with, is no SOCK_SEQPACKET Unix socket"
                        + " (ListenSequentialPacket= in the .socket unit)");
            }
            // An abstract name comes with a NUL in front.
            return new SeqPacketListener(new RpcAddress(local.getPath().replace('\0', '@')), socket, false);
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw new IOException("cannot take over descriptor " + descriptor + ": " + e, e);
        }
    }

    // Column Type of /proc/net/unix, in hex.
    private static int socketType(int descriptor) throws IOException {
        String inode = Files.getAttribute(Path.of("/proc/self/fd", Integer.toString(descriptor)), "unix:ino").toString();
        for (String line : Files.readAllLines(Path.of("/proc/self/net/unix"), StandardCharsets.ISO_8859_1)) {
            String[] words = line.trim().split("\\s+");
            if (words.length > 6 && words[6].equals(inode)) {
                return Integer.parseInt(words[4], 16);
            }
        }
        return -1;
    }

    /** Where it listens. */
    RpcAddress address() {
        return address;
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
        if (ownsFile && !address.isAbstract()) {
            Files.deleteIfExists(address.path());
        }
    }
}
