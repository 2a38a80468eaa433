// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.newsclub.net.unix.AFSocketType;
import org.newsclub.net.unix.AFUNIXDatagramChannel;
import org.newsclub.net.unix.AFUNIXDatagramSocket;
import org.newsclub.net.unix.AFUNIXSocketCredentials;
import org.newsclub.net.unix.AFUNIXSocketPair;
import org.newsclub.net.unix.FileDescriptorCast;

/**
 * One end of a connected SOCK_SEQPACKET Unix socket: one message, one packet. Sending and receiving may happen in two threads at
 * once; {@link #close} from a third one ends both.
 */
public final class SeqPacketSocket implements Closeable {
    /** Largest message taken, in bytes. Requests are some hundred bytes; Linux' default send buffer ends near 208 KiB. */
    public static final int MAX_PACKET = 64 * 1024;

    private final AFUNIXDatagramChannel channel;

    private SeqPacketSocket(AFUNIXDatagramChannel channel) {
        this.channel = channel;
    }

    /** Two connected ends. The maker is the peer of both, for SO_PEERCRED. */
    public record Pair(SeqPacketSocket first, SeqPacketSocket second) {}

    /**
     * Connects to a listening socket.
     *
     * @param address where
     * @return the connected socket
     * @throws IOException if nobody listens there or the permission is missing; the message names the address
     */
    public static SeqPacketSocket connect(RpcAddress address) throws IOException {
        AFUNIXDatagramSocket socket = AFUNIXDatagramSocket.newInstance(AFSocketType.SOCK_SEQPACKET);
        try {
            socket.connect(address.toSocketAddress());
        } catch (IOException e) {
            socket.close();
            throw new IOException("cannot connect to " + address + ": " + e.getMessage(), e);
        }
        return of(socket);
    }

    /**
     * Makes a socket pair.
     *
     * @return both ends
     * @throws IOException if the process has no descriptors left
     */
    public static Pair pair() throws IOException {
        AFUNIXSocketPair<AFUNIXDatagramChannel> pair = AFUNIXSocketPair.openDatagram(AFSocketType.SOCK_SEQPACKET);
        return new Pair(new SeqPacketSocket(pair.getSocket1()), new SeqPacketSocket(pair.getSocket2()));
    }

    static SeqPacketSocket of(AFUNIXDatagramSocket socket) {
        return new SeqPacketSocket(socket.getChannel());
    }

    /**
     * Who connected, or who listens, when the connection was made.
     *
     * @return pid, uid and gid
     * @throws IOException if the socket is closed
     */
    public PeerCredentials peer() throws IOException {
        AFUNIXSocketCredentials credentials = channel.getPeerCredentials();
        return new PeerCredentials((int) credentials.getPid(), (int) credentials.getUid(), (int) credentials.getGid());
    }

    /**
     * Sends one packet.
     *
     * @param message its bytes; at least one, as an empty packet looks like the end to whoever receives it
     * @throws IOException if the other end is gone
     */
    public void send(byte[] message) throws IOException {
        if (message.length == 0) {
            throw new IllegalArgumentException("an empty packet would look like the end of the connection");
        }
        int sent;
        try {
            sent = channel.write(ByteBuffer.wrap(message));
        } catch (IOException e) {
            throw e.getCause() instanceof IOException cause ? cause : e;
        }
        if (sent != message.length) {
            throw new IOException("sent " + sent + " of a packet of " + message.length + " bytes");
        }
    }

    /**
     * Waits for one packet.
     *
     * @param timeout how long; {@link Duration#ZERO} means for ever
     * @return its bytes; none if the packet was empty or the other end is gone, which SOCK_SEQPACKET cannot tell apart
     * @throws PacketTooLargeException if it is longer than {@link #MAX_PACKET}
     * @throws SocketTimeoutException if none came in time
     * @throws IOException if the connection broke or this end was closed
     */
    public byte[] receive(Duration timeout) throws IOException {
        return received(timeout, channel::read);
    }

    private interface Reading {
        int into(ByteBuffer buffer) throws IOException;
    }

    private byte[] received(Duration timeout, Reading reading) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(MAX_PACKET + 1);
        channel.socket().setSoTimeout((int) timeout.toMillis());
        long start = System.nanoTime();
        int length;
        try {
            length = reading.into(buffer);
        } catch (SocketTimeoutException e) {
            length = -1;
        } catch (IOException e) {
            throw e.getCause() instanceof IOException cause ? cause : e;
        }
        if (length > MAX_PACKET) {
            throw new PacketTooLargeException();
        }
        if (length <= 0) {
            // junixsocket reports an empty packet, the end and a timeout alike; only the clock knows which.
            if (!timeout.isZero() && System.nanoTime() - start >= timeout.toNanos()) {
                throw new SocketTimeoutException("no packet within " + timeout.toSeconds() + " s");
            }
            return new byte[0];
        }
        return Arrays.copyOf(buffer.array(), length);
    }

    /**
     * Looks at the next packet and leaves it where it is, for {@link #receive} or for another process that is given the socket.
     *
     * @param timeout how long to wait for one; {@link Duration#ZERO} means for ever
     * @return as {@link #receive}
     * @throws PacketTooLargeException if it is longer than {@link #MAX_PACKET}
     * @throws SocketTimeoutException if none came in time
     * @throws IOException if the connection broke or this end was closed
     */
    public byte[] peek(Duration timeout) throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[MAX_PACKET + 1], MAX_PACKET + 1);
        return received(timeout, buffer -> {
            try {
                channel.socket().peek(packet);
            } catch (EOFException e) {
                return -1;
            }
            buffer.put(packet.getData(), 0, packet.getLength());
            return packet.getLength();
        });
    }

    /**
     * The socket's own inode number, which tells it from all others (sock_diag(7)).
     *
     * @return the inode
     * @throws IOException if the socket is closed
     */
    public long inode() throws IOException {
        int number = FileDescriptorCast.using(channel.getFileDescriptor()).as(Integer.class);
        return (long) Files.getAttribute(Path.of("/proc/self/fd", Integer.toString(number)), "unix:ino");
    }

    /**
     * Makes this end a child's standard input. The socket itself stays open here: close it once the child is started.
     *
     * @return what {@link ProcessBuilder#redirectInput} takes
     * @throws IOException if the socket is closed
     */
    public ProcessBuilder.Redirect asRedirect() throws IOException {
        // Otherwise close() here would shut the connection down for the child too.
        channel.setShutdownOnClose(false);
        return FileDescriptorCast.using(channel.getFileDescriptor()).as(ProcessBuilder.Redirect.class);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
