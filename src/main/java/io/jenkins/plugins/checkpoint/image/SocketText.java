// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import io.jenkins.plugins.checkpoint.image.proto.SkInetProto.inet_sk_entry;
import io.jenkins.plugins.checkpoint.image.proto.SkUnixProto.unix_sk_entry;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Sockets in words: kinds, states and addresses as ss(8) prints them. */
final class SocketText {
    /** A TCP socket in this state has neither connection nor queue (include/net/tcp_states.h). */
    static final int CLOSE = 7;
    /** A listening socket, of any family. */
    static final int LISTEN = 10;
    /** IPPROTO_TCP. */
    static final int TCP = 6;

    private static final int STREAM = 1;
    private static final int INET6 = 10;
    private static final Map<Integer, String> STATES = Map.ofEntries(Map.entry(1, "ESTABLISHED"), Map.entry(2, "SYN-SENT"), Map.entry(3, "SYN-RECV"),
            Map.entry(4, "FIN-WAIT-1"), Map.entry(5, "FIN-WAIT-2"), Map.entry(6, "TIME-WAIT"), Map.entry(CLOSE, "UNCONNECTED"), Map.entry(8, "CLOSE-WAIT"),
            Map.entry(9, "LAST-ACK"), Map.entry(LISTEN, "LISTEN"), Map.entry(11, "CLOSING"));
    private static final Map<Integer, String> PROTOCOLS = Map.of(1, "ICMP", TCP, "TCP", 17, "UDP", 58, "ICMPv6", 136, "UDP-Lite");
    private static final Map<Integer, String> TYPES = Map.of(STREAM, "stream", 2, "datagram", 3, "raw", 5, "seqpacket");

    private SocketText() {}

    /** Such as {@code TCP socket}. */
    static String what(inet_sk_entry socket) {
        return (socket.getType() == 3 ? "raw" : PROTOCOLS.getOrDefault(socket.getProto(), "protocol " + Integer.toUnsignedString(socket.getProto()))) + " socket";
    }

    /** Such as {@code Unix stream socket}. */
    static String what(unix_sk_entry socket) {
        return "Unix " + TYPES.getOrDefault(socket.getType(), "type " + Integer.toUnsignedString(socket.getType())) + " socket";
    }

    /** State, and both addresses. */
    static Descriptor.Socket describe(inet_sk_entry socket) {
        boolean six = socket.getFamily() == INET6;
        boolean connected = socket.getDstPort() != 0;
        return new Descriptor.Socket(state(socket.getState()), address(six, socket.getSrcAddrList(), socket.getSrcPort()),
                connected ? address(six, socket.getDstAddrList(), socket.getDstPort()) : "");
    }

    /** State, and the path that it is bound to; the other end's is not in its image. */
    static Descriptor.Socket describe(unix_sk_entry socket) {
        return new Descriptor.Socket(state(socket.getState()), path(socket), "");
    }

    /** A Unix socket's name: a path, or {@code @} and an abstract name; empty for none. */
    static String path(unix_sk_entry socket) {
        byte[] name = socket.getName().toByteArray();
        if (name.length == 0) {
            return "";
        }
        if (name[0] == 0) {
            return "@" + new String(name, 1, name.length - 1, StandardCharsets.UTF_8).replace('\0', '@');
        }
        int end = 0;
        while (end < name.length && name[end] != 0) {
            end++;
        }
        return new String(name, 0, end, StandardCharsets.UTF_8);
    }

    private static String state(int state) {
        return STATES.getOrDefault(state, "state " + Integer.toUnsignedString(state));
    }

    // Words of the address in memory order, the port in the host's.
    private static String address(boolean six, List<Integer> words, int port) {
        int count = six ? 4 : 1;
        if (words.size() < count) {
            return "*:" + Integer.toUnsignedString(port);
        }
        ByteBuffer bytes = ByteBuffer.allocate(count * 4).order(ByteOrder.LITTLE_ENDIAN);
        words.subList(0, count).forEach(bytes::putInt);
        return (six ? "[" + compress(bytes.array()) + "]" : dotted(bytes.array(), 0)) + ":" + Integer.toUnsignedString(port);
    }

    private static String dotted(byte[] address, int from) {
        return (address[from] & 255) + "." + (address[from + 1] & 255) + "." + (address[from + 2] & 255) + "." + (address[from + 3] & 255);
    }

    // RFC 5952: the longest run of two or more zero groups becomes "::".
    private static String compress(byte[] address) {
        try {
            // Java turns a mapped address into an IPv4 one.
            if (InetAddress.getByAddress(address).getAddress().length == 4) {
                return "::ffff:" + dotted(address, 12);
            }
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
        int best = -1;
        int length = 1;
        for (int i = 0; i < 8; i++) {
            int j = i;
            while (j < 8 && address[2 * j] == 0 && address[2 * j + 1] == 0) {
                j++;
            }
            if (j - i > length) {
                best = i;
                length = j - i;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == best) {
                text.append("::");
                i += length - 1;
                continue;
            }
            if (text.length() > 0 && text.charAt(text.length() - 1) != ':') {
                text.append(':');
            }
            text.append(Integer.toHexString((address[2 * i] & 255) << 8 | address[2 * i + 1] & 255));
        }
        return text.toString();
    }
}
