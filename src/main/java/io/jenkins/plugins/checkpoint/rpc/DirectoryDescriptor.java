// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;

/**
 * A directory held open by this process, with the number of its descriptor, as {@code images_dir_fd} wants it. Java opens a directory
 * willingly but keeps the number to itself; /proc/self/fd tells it.
 */
public final class DirectoryDescriptor implements Closeable {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    // Numbers that are ours: two descriptors of one directory must not share one.
    private static final Set<Integer> HELD = new HashSet<>();

    private final FileChannel channel;
    private final int number;

    private DirectoryDescriptor(FileChannel channel, int number) {
        this.channel = channel;
        this.number = number;
    }

    /**
     * Opens a directory.
     *
     * @param directory its path
     * @return the descriptor
     * @throws NotDirectoryException if it is something else
     * @throws IOException if it is missing or not allowed
     */
    public static DirectoryDescriptor open(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.readAttributes(directory, "isDirectory");
            throw new NotDirectoryException(directory.toString());
        }
        synchronized (HELD) {
            Set<Integer> before = numbers(directory);
            FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ);
            try {
                Set<Integer> after = numbers(directory);
                after.removeAll(before);
                after.removeAll(HELD);
                if (after.isEmpty()) {
                    throw new IOException("cannot find the descriptor of " + directory + " in " + DESCRIPTORS);
                }
                int number = after.iterator().next();
                HELD.add(number);
                return new DirectoryDescriptor(channel, number);
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        }
    }

    private static Set<Integer> numbers(Path directory) throws IOException {
        Set<Integer> numbers = new HashSet<>();
        try (DirectoryStream<Path> links = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path link : links) {
                try {
                    if (Files.isDirectory(link) && Files.isSameFile(link, directory)) {
                        numbers.add(Integer.parseInt(link.getFileName().toString()));
                    }
                } catch (IOException e) {
                    // Closed meanwhile by another thread: not the one sought.
                }
            }
        }
        return numbers;
    }

    /**
     * The descriptor's number in this process.
     *
     * @return what goes into images_dir_fd
     */
    public int number() {
        return number;
    }

    @Override
    public void close() throws IOException {
        synchronized (HELD) {
            HELD.remove(number);
            channel.close();
        }
    }
}
