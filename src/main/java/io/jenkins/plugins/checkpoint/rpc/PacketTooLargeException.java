// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import java.io.IOException;

/** A packet longer than {@link SeqPacketSocket#MAX_PACKET}; the rest of it is gone, the connection goes on. */
public final class PacketTooLargeException extends IOException {
    private static final long serialVersionUID = 1L;

    PacketTooLargeException() {
        super("the packet is larger than " + SeqPacketSocket.MAX_PACKET + " bytes");
    }
}
