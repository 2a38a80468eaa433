// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.checkpoint.TestProcess;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SeqPacketSocketTest {
    private SeqPacketSocket one;
    private SeqPacketSocket other;

    @BeforeEach
    void connect() throws IOException {
        SeqPacketSocket.Pair pair = SeqPacketSocket.pair();
        one = pair.first();
        other = pair.second();
    }

    @AfterEach
    void hangUp() throws IOException {
        one.close();
        other.close();
    }

    @Test
    void keepsMessagesApart() throws IOException {
        one.send(new byte[] {1, 2, 3});
        one.send(new byte[] {4});
        assertThat(other.receive(Duration.ZERO)).containsExactly(1, 2, 3);
        assertThat(other.receive(Duration.ZERO)).containsExactly(4);
    }

    @Test
    void takesTheLargestPacketAndRefusesALargerOneAndGoesOn() throws IOException {
        one.send(new byte[SeqPacketSocket.MAX_PACKET]);
        assertThat(other.receive(Duration.ZERO)).hasSize(SeqPacketSocket.MAX_PACKET);
        one.send(new byte[SeqPacketSocket.MAX_PACKET + 1000]);
        assertThatThrownBy(() -> other.receive(Duration.ZERO)).isInstanceOf(PacketTooLargeException.class).hasMessageContaining("65536");
        one.send(new byte[] {7});
        assertThat(other.receive(Duration.ZERO)).containsExactly(7);
    }

    @Test
    void tellsSilenceFromTheEnd() throws IOException {
        assertThatThrownBy(() -> other.receive(Duration.ofMillis(50))).isInstanceOf(SocketTimeoutException.class);
        one.close();
        assertThat(other.receive(Duration.ofSeconds(30))).isEmpty();
    }

    @Test
    void knowsItsPeer() throws IOException {
        assertThat(one.peer().pid()).isEqualTo((int) ProcessHandle.current().pid());
    }

    @Test
    void becomesAChildsStandardInput() throws Exception {
        Process child = new ProcessBuilder(TestProcess.PYTHON, "-c", "import socket\ns = socket.socket(fileno=0)\ns.send(s.recv(100)[::-1])")
                .redirectInput(other.asRedirect()).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        other.close();
        one.send(new byte[] {1, 2, 3});
        assertThat(one.receive(Duration.ZERO)).containsExactly(3, 2, 1);
        assertThat(child.waitFor()).isZero();
        // The child's end was the last one.
        assertThat(one.receive(Duration.ZERO)).isEmpty();
    }
}
