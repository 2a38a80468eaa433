// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import io.jenkins.plugins.checkpoint.rpc.Engine;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the engine to work with. */
public final class Engines {
    // Where Debian puts criu is not on every user's PATH.
    private static final List<String> MORE_DIRECTORIES = List.of("/usr/local/sbin", "/usr/sbin", "/sbin");

    private static final Logger LOG = LoggerFactory.getLogger(Engines.class);

    private Engines() {}

    /**
     * The engine inside the jar.
     *
     * @return pcr
     * @throws IOException if this build has none for this machine, or it cannot be laid out
     */
    public static Engine embedded() throws IOException {
        return new PcrEngine("pcr (embedded)", EmbeddedProgram.extract());
    }

    /**
     * The engine inside the jar, as a program.
     *
     * @return its path, in a directory that only this user can enter
     * @throws IOException if this build has none for this machine, or it cannot be laid out
     */
    public static Path embeddedProgram() throws IOException {
        return EmbeddedProgram.extract();
    }

    /**
     * Says whether there is an engine inside the jar.
     *
     * @return true if {@link #embedded} can be asked for on this machine
     */
    public static boolean hasEmbedded() {
        return EmbeddedProgram.isPresent();
    }

    /**
     * A pcr of one's own.
     *
     * @param program its path
     * @return that pcr
     * @throws IOException if it is not an executable file
     */
    public static Engine pcr(Path program) throws IOException {
        return new PcrEngine("pcr (" + program + ")", requireExecutable(program));
    }

    /**
     * A CRIU of one's own.
     *
     * @param program its path
     * @return that criu
     * @throws IOException if it is not an executable file
     */
    public static Engine criu(Path program) throws IOException {
        return new CriuEngine(requireExecutable(program));
    }

    /**
     * The machine's CRIU, found as the shell would, and in sbin.
     *
     * @return that criu
     * @throws IOException if there is none
     */
    public static Engine systemCriu() throws IOException {
        return findCriu().orElseThrow(() -> new IOException("no criu on this machine; install it, or use the embedded engine"));
    }

    /**
     * What works here: asks the embedded engine and the machine's own CRIU once each for its CHECK, prefers the embedded one if both say yes,
     * and logs which it is and why.
     *
     * @return that engine
     * @throws IOException if neither is there or works, with what each said
     */
    public static Engine auto() throws IOException {
        List<EngineProbe> probes = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        if (hasEmbedded()) {
            probes.add(EngineProbe.of(embedded()));
        } else {
            missing.add("pcr: not in this build for " + System.getProperty("os.arch"));
        }
        findCriu().ifPresentOrElse(criu -> probes.add(EngineProbe.of(criu)), () -> missing.add("criu: not on this machine"));
        String findings = Stream.concat(probes.stream().map(EngineProbe::toString), missing.stream()).collect(Collectors.joining("; "));
        EngineProbe chosen = probes.stream().filter(EngineProbe::works).findFirst()
                .orElseThrow(() -> new IOException("no engine works on this machine. " + findings));
        LOG.info("engine auto: {} is used. {}{}", chosen.engine().name(), findings,
                probes.stream().filter(EngineProbe::works).count() > 1 ? "; both work, and the embedded one serves other users with their own rights" : "");
        return chosen.engine();
    }

    private static Optional<Engine> findCriu() {
        String path = System.getenv().getOrDefault("PATH", "");
        for (String directory : (path + File.pathSeparator + String.join(File.pathSeparator, MORE_DIRECTORIES)).split(File.pathSeparator)) {
            Path program = Path.of(directory, "criu");
            if (!directory.isEmpty() && Files.isRegularFile(program) && Files.isExecutable(program)) {
                return Optional.of(new CriuEngine(program));
            }
        }
        return Optional.empty();
    }

    private static Path requireExecutable(Path program) throws IOException {
        if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
            throw new IOException(program + " is not an executable file");
        }
        return program.toAbsolutePath();
    }
}
