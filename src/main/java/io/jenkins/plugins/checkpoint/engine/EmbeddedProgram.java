// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The {@code pcr} inside the jar, laid out once for each JVM in a directory that only its user can enter, removed at the end. */
final class EmbeddedProgram {
    private static Path extracted;

    private EmbeddedProgram() {}

    private static String resource() {
        String arch = switch (System.getProperty("os.arch")) {
            case "amd64" -> "x86_64";
            case "aarch64" -> "aarch_64";
            default -> System.getProperty("os.arch");
        };
        return "/native/linux-" + arch + "/pcr";
    }

    /** Says whether this jar was built with an engine for this machine. */
    static boolean isPresent() {
        return EmbeddedProgram.class.getResource(resource()) != null;
    }

    /**
     * Extracts the program, the first time it is asked for.
     *
     * @return its path
     * @throws IOException if there is none for this machine, or what was written is not what was built
     */
    static synchronized Path extract() throws IOException {
        if (extracted != null && Files.isExecutable(extracted)) {
            return extracted;
        }
        Path directory = Files.createTempDirectory("process-checkpoint-", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path program = directory.resolve("pcr");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(program)));
        try (InputStream in = open(resource()); InputStream hash = open(resource() + ".sha256")) {
            Files.copy(in, program);
            String expected = new String(hash.readNBytes(64), StandardCharsets.US_ASCII);
            String found = sha256(program);
            if (!found.equals(expected)) {
                throw new IOException("the engine extracted to " + program + " is damaged: SHA-256 " + found + ", expected " + expected);
            }
            Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("r-x------"));
        } catch (IOException e) {
            remove(program);
            throw e;
        }
        extracted = program;
        return program;
    }

    private static InputStream open(String name) throws IOException {
        InputStream in = EmbeddedProgram.class.getResourceAsStream(name);
        if (in == null) {
            throw new IOException("no embedded engine for " + System.getProperty("os.name") + " " + System.getProperty("os.arch")
                    + " in this build; use --engine criu");
        }
        return in;
    }

    private static String sha256(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void remove(Path program) {
        try {
            Files.deleteIfExists(program);
            Files.deleteIfExists(program.getParent());
        } catch (IOException e) {
            // A stray file in a temporary directory; nothing depends on it.
        }
    }
}
