// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import io.jenkins.plugins.checkpoint.rpc.Engine;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Finds the engine to work with. */
public final class Engines {
    // Where Debian puts criu is not on every user's PATH.
    private static final List<String> MORE_DIRECTORIES = List.of("/usr/local/sbin", "/usr/sbin", "/sbin");

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
        String path = System.getenv().getOrDefault("PATH", "");
        for (String directory : (path + File.pathSeparator + String.join(File.pathSeparator, MORE_DIRECTORIES)).split(File.pathSeparator)) {
            Path program = Path.of(directory, "criu");
            if (!directory.isEmpty() && Files.isRegularFile(program) && Files.isExecutable(program)) {
                return new CriuEngine(program);
            }
        }
        throw new IOException("no criu on this machine; install it, or use the embedded engine");
    }

    private static Path requireExecutable(Path program) throws IOException {
        if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
            throw new IOException(program + " is not an executable file");
        }
        return program.toAbsolutePath();
    }
}
