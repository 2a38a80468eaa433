// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.report.Units;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Sizes and times as people read them; and strings of foreign origin, made safe for a terminal. */
public final class Text {
    private Text() {}

    /**
     * A size.
     *
     * @param bytes how many
     * @return such as {@code 12.3 MiB}
     */
    public static String size(long bytes) {
        return Units.size(bytes);
    }

    /**
     * A time span.
     *
     * @param nanos nanoseconds
     * @return such as {@code 12 ms} or {@code 3.1 s}
     */
    public static String time(long nanos) {
        return Units.time(nanos);
    }

    /**
     * The time since then.
     *
     * @param start a value of {@link System#nanoTime}
     * @return as {@link #time}
     */
    public static String since(long start) {
        return time(System.nanoTime() - start);
    }

    /**
     * How much the files of a directory hold together.
     *
     * @param directory a directory
     * @return bytes, links not followed
     * @throws IOException if it cannot be read
     */
    public static long sizeOf(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            long sum = 0;
            for (Path file : files.toList()) {
                sum += Files.isRegularFile(file) ? Files.size(file) : 0;
            }
            return sum;
        }
    }

    /**
     * Makes a string from an image safe to print.
     *
     * @param text anything
     * @param max longest result, in characters
     * @return the same without control characters, cut if too long
     */
    public static String safe(String text, int max) {
        String clean = text.replaceAll("[\\p{Cntrl}\\p{Cf}]", "?");
        return clean.length() > max ? clean.substring(0, max - 3) + "..." : clean;
    }
}
