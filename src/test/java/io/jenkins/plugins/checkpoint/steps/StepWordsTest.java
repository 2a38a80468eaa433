// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The engine's options as the steps name them. */
class StepWordsTest {
    @Test
    void namesOptionsAsStepsDo() {
        assertThat(StepWords.of("dump it as a shell job (--shell-job), or raise --ghost-limit; --skip-in-flight"))
                .isEqualTo("dump it as a shell job (shellJob: true), or raise ghostLimit; tcpSkipInFlight: true");
    }

    @Test
    void leavesWhatIsNoOptionOfSteps() {
        String text = "pid 7: /tmp/a--shell-job: see --feature x, --prev-images-dir, --log-file=x, -- and ---shell-job";
        assertThat(StepWords.of(text)).isEqualTo(text);
    }
}
