// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Where a run keeps what belongs to it, beside the workspace. Only its user can enter.
 *
 * @param path the directory
 */
record RunDirectory(Path path) {
    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    /**
     * A run's directory by the path that the controller knows it by.
     *
     * @param path an absolute path
     */
    static RunDirectory of(String path) {
        return new RunDirectory(Path.of(path));
    }

    /** Makes it, with the directories above. */
    RunDirectory create() throws IOException {
        Files.createDirectories(path.getParent());
        if (!Files.isDirectory(path)) {
            Files.createDirectory(path, PRIVATE);
        }
        return this;
    }

    /** The script, as the shell reads it while it runs. */
    Path script() {
        return path.resolve("script.sh");
    }

    /** What the processes print. */
    Path log() {
        return path.resolve("log");
    }

    /** What they print on standard output, when that is the step's value. */
    Path output() {
        return path.resolve("output");
    }

    /** The exit status, once there is one. */
    Path status() {
        return path.resolve("status");
    }

    /** The pid of the tree's root. */
    Path pid() {
        return path.resolve("pid");
    }

    /** Holds the path of the RPC socket. */
    Path socketFile() {
        return path.resolve("socket");
    }

    /** What a restore of this run on another agent has to know. */
    Path metadata() {
        return path.resolve(RunMetadata.FILE);
    }

    /** The script failed with the status in here and waits for {@link #goOn}. */
    Path failed() {
        return path.resolve("failed");
    }

    /** Lets a failed script end. */
    Path goOn() {
        return path.resolve("go-on");
    }

    /** There while the agent shuts down and waits for {@link #released}. */
    Path shutdown() {
        return path.resolve("shutdown");
    }

    /** Lets the agent go. */
    Path released() {
        return path.resolve("released");
    }

    /** The images of one checkpoint. */
    Path images(int number) {
        return path.resolve("images-" + number);
    }

    /** Where logs and archives of checkpoints are until they are uploaded. */
    Path checkpoints() {
        return path.resolve("checkpoints");
    }

    /** The RPC socket. */
    Path socket() throws IOException {
        return Path.of(Files.readString(socketFile()).strip());
    }

    /** Makes a directory that only we can enter; socket paths have to be short, so not below the workspace. */
    static Path shortDirectory() throws IOException {
        return Files.createTempDirectory("checkpoint-", PRIVATE);
    }

    /** Makes a private directory at a given path, unless something is there. */
    static boolean createPrivately(Path directory) {
        try {
            Files.createDirectory(directory, PRIVATE);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** Removes a directory with all that is in it; what is not there is gone already. */
    static void delete(Path directory) throws IOException {
        if (!Files.isDirectory(directory, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            Files.deleteIfExists(directory);
            return;
        }
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path file : (Iterable<Path>) tree.sorted(Comparator.reverseOrder())::iterator) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** How many bytes the plain files of a directory have. */
    static long size(Path directory) throws IOException {
        long sum = 0;
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (Files.isRegularFile(file, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
                    sum += Files.size(file);
                }
            }
        }
        return sum;
    }
}
