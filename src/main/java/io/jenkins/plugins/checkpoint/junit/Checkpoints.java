// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.junit;

import io.jenkins.plugins.checkpoint.rpc.RpcAddress;
import io.jenkins.plugins.checkpoint.rpc.SeqPacketSocket;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Checkpoints of the JVM that runs this, made by the service that the environment variable {@code CHECKPOINT_SERVICE_SOCKET} names.
 *
 * <pre>{@code
 * if (Checkpoints.now("fixtures loaded").isRestored()) {
 *     database.reconnect();
 * }
 * }</pre>
 *
 * <p>The images go into a new directory, named after the label, below the one that the environment variable {@code CHECKPOINT_IMAGES_DIR} names
 * (default: {@code target/checkpoints}).
 */
public final class Checkpoints {
    /** Environment variable: where the images go. */
    public static final String IMAGES_DIR = "CHECKPOINT_IMAGES_DIR";

    private static final int MAX_NAME = 60;
    private static final AtomicBoolean SAID = new AtomicBoolean();
    private static final List<Consumer<String>> LISTENERS = new CopyOnWriteArrayList<>();
    // One at a time: a JVM cannot be dumped for two of its threads at once.
    private static final Object ONE = new Object();

    private Checkpoints() {}

    /**
     * Says whether there is a service to ask.
     *
     * @return false if {@link #now} would do nothing
     */
    public static boolean available() {
        String address = System.getenv(RpcAddress.ENVIRONMENT);
        return address != null && !address.isEmpty();
    }

    /**
     * Registers what is to be done in a restored copy, before {@link #now} returns there: opening again what did not survive.
     *
     * @param listener is given the checkpoint's label
     */
    public static void onRestore(Consumer<String> listener) {
        LISTENERS.add(listener);
    }

    /**
     * Dumps this JVM, with all its threads and child processes, and goes on. Without a service it does nothing, and says so once.
     *
     * @param label what is checkpointed, for people: {@code fixtures loaded}
     * @param options what is allowed beyond the ordinary
     * @return whether this is the process that was dumped or a copy restored from the dump
     * @throws CheckpointFailedException if the service cannot make the checkpoint; the JVM runs on as before
     */
    public static CheckpointOutcome now(String label, CheckpointOption... options) {
        if (!available()) {
            if (!SAID.getAndSet(true)) {
                System.err.println("Checkpoints: no checkpoint \"" + label + "\", nor any other: " + RpcAddress.ENVIRONMENT + " names no service");
            }
            return CheckpointOutcome.NO_SERVICE;
        }
        String address = System.getenv(RpcAddress.ENVIRONMENT);
        CheckpointOutcome outcome;
        synchronized (ONE) {
            try {
                outcome = ask(address, label, Set.of(options));
            } catch (IOException | IllegalArgumentException e) {
                throw new CheckpointFailedException("checkpoint \"" + label + "\", service " + address + ": " + e.getMessage(), e);
            }
        }
        if (outcome.isRestored()) {
            LISTENERS.forEach(listener -> listener.accept(label));
        }
        return outcome;
    }

    private static CheckpointOutcome ask(String address, String label, Set<CheckpointOption> options) throws IOException {
        Set<CheckpointOption> sorted = options.isEmpty() ? Set.of() : EnumSet.copyOf(options);
        Path images = newDirectory(label);
        SelfDump.Response response = null;
        try (SeqPacketSocket socket = SeqPacketSocket.connect(new RpcAddress(address))) {
            socket.send(SelfDump.request(images.toString(), sorted));
            // In the restored copy it is this call that comes back.
            byte[] answer = socket.receive(Duration.ZERO);
            if (answer.length == 0) {
                throw new IOException("it hung up without an answer");
            }
            response = SelfDump.Response.of(answer);
        } finally {
            if (response == null) {
                Files.deleteIfExists(images);
            }
        }
        if (!response.success()) {
            throw new CheckpointFailedException("checkpoint \"" + label + "\": "
                    + (response.message().isEmpty() ? "the service gave no reason; see " + images.resolve("dump.log") : response.message()));
        }
        return response.restored() ? CheckpointOutcome.RESTORED : CheckpointOutcome.DUMPED;
    }

    /** A directory that was not there before. */
    private static Path newDirectory(String label) throws IOException {
        String parent = System.getenv(IMAGES_DIR);
        Path below = Path.of(parent == null || parent.isEmpty() ? "target/checkpoints" : parent).toAbsolutePath();
        Files.createDirectories(below);
        String name = label.strip().replaceAll("[^A-Za-z0-9._-]+", "-").replaceAll("^[.-]+|-+$", "");
        name = name.isEmpty() ? "checkpoint" : name.substring(0, Math.min(name.length(), MAX_NAME));
        for (int i = 1;; i++) {
            try {
                return Files.createDirectory(below.resolve(i == 1 ? name : name + "-" + i));
            } catch (FileAlreadyExistsException e) {
                continue;
            }
        }
    }
}
