// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns what pcr tells of its progress ({@code --progress-fd}, a line of JSON ten times a second) into a line for people every few seconds, of
 * dumps and restores that take longer.
 */
final class ProgressLines {
    /** How often a line is written. */
    static final Duration EVERY = Duration.ofSeconds(5);

    // Exactly as native/src/common/progress.c writes it.
    private static final Pattern LINE = Pattern.compile(
            "\\{\"phase\":\"([a-z-]{1,20})\",\"bytes\":(\\d{1,18}),\"total\":(\\d{1,18}),\"rate\":(\\d{1,18}),\"elapsed_us\":(\\d{1,18})\\}");

    private final long every; // microseconds
    private final Consumer<String> log;
    private long next;

    /**
     * For one engine.
     *
     * @param every how often
     * @param log takes the lines
     */
    ProgressLines(Duration every, Consumer<String> log) {
        this.every = every.toNanos() / 1000;
        this.log = log;
        next = this.every;
    }

    /**
     * Takes a line that the engine printed.
     *
     * @param line without its end
     * @return false if it is none of progress
     */
    boolean take(String line) {
        Matcher told = LINE.matcher(line);
        if (!told.matches()) {
            return false;
        }
        long elapsed = Long.parseLong(told.group(5));
        boolean over = told.group(1).equals("done") || told.group(1).equals("failed");
        if (!over && elapsed >= next) {
            next = elapsed + every;
            log.accept(text(told.group(1), Long.parseLong(told.group(2)), Long.parseLong(told.group(3)), Long.parseLong(told.group(4)), elapsed));
        }
        if (over) {
            next = every; // the connection may go on with another request
        }
        return true;
    }

    private static String text(String phase, long bytes, long total, long rate, long elapsed) {
        StringBuilder text = new StringBuilder(phase);
        if (total > 0) {
            text.append(String.format(Locale.ROOT, ", %.0f of %.0f MiB, %.0f MiB/s", mib(bytes), mib(total), mib(rate)));
        }
        return text.append(String.format(Locale.ROOT, ", after %.1f s", elapsed / 1e6)).toString();
    }

    private static double mib(long bytes) {
        return bytes / (double) (1 << 20);
    }
}
