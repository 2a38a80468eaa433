// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;

class EmbeddedProgramTest {
    @Test
    void laysTheEngineOutWhereNobodyElseCanTouchIt() throws Exception {
        assumeTrue(EmbeddedProgram.isPresent(), "built without native/: no embedded engine");
        Path program = EmbeddedProgram.extract();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(program))).isEqualTo("r-x------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(program.getParent()))).isEqualTo("rwx------");
        assertThat(EmbeddedProgram.extract()).isEqualTo(program);
        assertThat(new ProcessBuilder(program.toString(), "--version").redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor()).isZero();
    }
}
