// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import io.jenkins.plugins.checkpoint.engine.Engines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** What this machine can do. */
public final class Machine {
    private static final int SAID_MAX = 64 << 10;

    private Machine() {}

    /**
     * Throws unless this machine can run the engine at all.
     *
     * @throws AgentException saying what it takes
     */
    public static void requireSupported() throws AgentException {
        String system = System.getProperty("os.name");
        String architecture = System.getProperty("os.arch");
        if (!system.equals("Linux") || !architecture.equals("amd64")) {
            throw new AgentException("processes can be checkpointed on Linux x86_64 only, and this agent is " + system + " " + architecture
                    + "; give the step an agent of the right kind, for instance by a label");
        }
        if (!Engines.hasEmbedded()) {
            throw new AgentException("this build of the plugin has no engine (native/linux-x86_64/pcr) in it: build it anew without -Dnative.skip");
        }
    }

    /**
     * What the engine says of this machine.
     *
     * @return the text of {@code pcr check}
     * @throws AgentException if it cannot run here
     */
    public static MachineCheck check() throws IOException, InterruptedException {
        requireSupported();
        Path said = Files.createTempFile("checkpoint-check-", ".txt");
        try {
            Process process = new ProcessBuilder(Engines.embeddedProgram().toString(), "check").redirectErrorStream(true)
                    .redirectOutput(said.toFile()).redirectInput(Path.of("/dev/null").toFile()).start();
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AgentException("pcr check gave no answer within 60 s");
            }
            byte[] text = Files.readAllBytes(said);
            return new MachineCheck(process.exitValue() == 0, new String(text, 0, Math.min(text.length, SAID_MAX)).strip());
        } finally {
            Files.deleteIfExists(said);
        }
    }
}
