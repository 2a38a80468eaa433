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
        /** The embedded one if it works here, else the machine's own. */
        auto,
        /** pcr, from inside the jar. */
        embedded,
        /** The machine's own CRIU. */
        criu
    }

    @Option(names = "--engine", paramLabel = "NAME", description = "what dumps and restores: embedded (pcr), criu (this machine's), or auto: "
            + "whichever says that it works, the embedded one first (the default where there is none embedded, and for a service)")
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
        if (criu != null && (pcr != null || kind != null && kind != Kind.criu) || pcr != null && (kind == Kind.criu || kind == Kind.auto)) {
            throw new IllegalArgumentException("--engine, --criu and --pcr name different engines: give one of them");
        }
        if (criu != null) {
            return Engines.criu(criu);
        }
        if (pcr != null) {
            return Engines.pcr(pcr);
        }
        if (kind == null) {
            return Engines.hasEmbedded() ? Engines.embedded() : Engines.auto();
        }
        return switch (kind) {
            case auto -> Engines.auto();
            case embedded -> Engines.embedded();
            case criu -> Engines.systemCriu();
        };
    }

    /**
     * Finds the engine that the options name, for something that lives long.
     *
     * @return the engine; without options the one that works here
     * @throws IOException if it is not there or none works
     */
    Engine engineOrAuto() throws IOException {
        return isGiven() ? engine() : Engines.auto();
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
