// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.newsclub.net.unix.AFUNIXDatagramSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/** What systemd gives to a service that it starts: a listening socket, and a place to say that it is ready. */
final class SystemdSocket {
    // SD_LISTEN_FDS_START of sd_listen_fds(3).
    private static final int FIRST_DESCRIPTOR = 3;

    private SystemdSocket() {}

    /**
     * The socket that this process was started with.
     *
     * @return its descriptor, or -1 if there is none
     * @throws IOException if there are several
     */
    static int inherited() throws IOException {
        String pid = System.getenv("LISTEN_PID");
        String count = System.getenv("LISTEN_FDS");
        // Somebody else's, if the pid is another: environments are inherited further than descriptors.
        if (count == null || pid == null || !pid.equals(Long.toString(ProcessHandle.current().pid()))) {
            return -1;
        }
        if (!count.equals("1")) {
            throw new IOException("systemd gave " + count + " sockets; the service takes one: leave one ListenSequentialPacket= in the .socket unit");
        }
        return FIRST_DESCRIPTOR;
    }

    /**
     * Tells systemd, if it wants to know, how far the service is (sd_notify(3)).
     *
     * @param state such as {@code READY=1}
     */
    static void tell(String state) {
        String address = System.getenv("NOTIFY_SOCKET");
        if (address == null || address.isEmpty()) {
            return;
        }
        try (AFUNIXDatagramSocket socket = AFUNIXDatagramSocket.newInstance()) {
            socket.connect(address.startsWith("@") ? AFUNIXSocketAddress.inAbstractNamespace(address.substring(1)) : AFUNIXSocketAddress.of(Path.of(address)));
            socket.getChannel().write(ByteBuffer.wrap(state.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            System.err.println("service: cannot tell systemd " + state + ": " + e.getMessage());
        }
    }
}
