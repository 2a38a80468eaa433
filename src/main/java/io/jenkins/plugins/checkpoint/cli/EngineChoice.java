// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.engine.Engines;
import io.jenkins.plugins.checkpoint.rpc.Engine;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options that say which engine does the work. */
public final class EngineChoice {
    /** Names of engines. */
    public enum Kind {
        /** pcr, from inside the jar. */
        embedded,
        /** The machine's own CRIU. */
        criu
    }

    @Option(names = "--engine", paramLabel = "NAME", description = "what dumps and restores: embedded (pcr, the default) or criu (this machine's)")
    private Kind kind;

    @Option(names = "--criu", paramLabel = "PATH", description = "a criu program to use instead")
    private Path criu;

    @Option(names = "--pcr", paramLabel = "PATH", description = "a pcr program to use instead of the embedded one")
    private Path pcr;

    /**
     * Finds the engine that the options name.
     *
     * @return the engine
     * @throws IOException if it is not there
     */
    public Engine engine() throws IOException {
        if (criu != null && (pcr != null || kind == Kind.embedded) || pcr != null && kind == Kind.criu) {
            throw new IllegalArgumentException("--engine, --criu and --pcr name different engines: give one of them");
        }
        if (criu != null) {
            return Engines.criu(criu);
        }
        if (pcr != null) {
            return Engines.pcr(pcr);
        }
        return kind == Kind.criu ? Engines.systemCriu() : Engines.embedded();
    }

    /**
     * Says whether any engine was named.
     *
     * @return false if the default is meant
     */
    public boolean isGiven() {
        return kind != null || criu != null || pcr != null;
    }
}
