// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RpcAddressTest {
    @Test
    void tellsPathsFromAbstractNames() {
        assertThat(new RpcAddress("@x").isAbstract()).isTrue();
        assertThat(new RpcAddress("./@x").isAbstract()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "@", "a\0b"})
    void refusesWhatIsNoAddress(String text) {
        assertThatThrownBy(() -> new RpcAddress(text)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("expected a path or @name");
    }

    @Test
    void refusesWhatDoesNotFit() {
        new RpcAddress("/" + "a".repeat(106));
        assertThatThrownBy(() -> new RpcAddress("/" + "a".repeat(107))).hasMessageContaining("108 bytes long").hasMessageContaining("shorter");
    }
}
