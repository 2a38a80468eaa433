// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The text of a bar; that it shows on terminals alone is tested with the finished jar. */
class ProgressBarTest {
    private static final long MIB = 1 << 20;

    @Test
    void tellsBytesAndRate() {
        assertThat(ProgressBar.line("packing", 256 * MIB, 128 * MIB, 512 * MIB, 2_000_000_000L))
                .isEqualTo("packing [############............]  50 %, 256 of 512 MiB, 64 MiB/s");
        assertThat(ProgressBar.line("dumping", 256 * MIB, 0, 0, 2_000_000_000L)).isEqualTo("dumping, 256 MiB, 128 MiB/s");
        assertThat(ProgressBar.line("restoring", 0, 0, 0, 1_500_000_000L)).isEqualTo("restoring, 1.5 s");
        assertThat(ProgressBar.line("packing", 3 * MIB, 0, 2 * MIB, 1)).contains("100 %").hasSizeLessThan(100);
    }
}
