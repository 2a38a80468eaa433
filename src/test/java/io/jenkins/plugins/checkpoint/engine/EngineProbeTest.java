// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.TestProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What `--engine auto` learns from an engine, and how it says so. */
class EngineProbeTest {
    @TempDir
    private Path directory;

    private EngineProbe ask(String script) throws IOException {
        String interpreter = TestProcess.PYTHON.startsWith("/") ? TestProcess.PYTHON : "/usr/bin/env " + TestProcess.PYTHON;
        Path program = Files.writeString(directory.resolve("engine"), "#!" + interpreter + "\nimport socket, sys\ns = socket.socket(fileno=0)\n"
                + "m = s.recv(999)\nassert m == bytes([8, 3])\n" + script);
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        return EngineProbe.of(Engines.criu(program));
    }

    @Test
    void takesAYesForAYes() throws IOException {
        EngineProbe probe = ask("s.send(bytes([8, 3, 16, 1]))\n");
        assertThat(probe.works()).isTrue();
        assertThat(probe).hasToString("criu (" + directory + "/engine): it can dump and restore here");
    }

    @Test
    void tellsWhyNot() throws IOException {
        assertThat(ask("t = b'no kcmp'\ns.send(bytes([8, 3, 16, 0, 0x4a, len(t)]) + t)\n")).matches(probe -> !probe.works())
                .hasToString("criu (" + directory + "/engine): it says no: no kcmp");
        assertThat(ask("print('kernel too old', flush=True)\ns.send(bytes([8, 3, 16, 0]))\n").finding()).isEqualTo("it says no: kernel too old");
        assertThat(ask("sys.exit('cannot start')\n").finding()).contains("exited with status 1", "cannot start");
    }

    @Test
    void findsThatTheEmbeddedOneWorks() throws IOException {
        assertThat(EngineProbe.of(TestEngines.EMBEDDED.orSkip()).works()).isTrue();
        assertThat(Engines.auto().name()).isEqualTo("pcr (embedded)");
    }
}
