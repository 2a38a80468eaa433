// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people write them: {@code 30m}, {@code 1h 30m}, {@code 45s}. */
final class Durations {
    private static final Pattern PART = Pattern.compile("\\s*(\\d{1,6})\\s*(d|h|m|min|s|sec)\\b?\\s*");
    private static final Duration SHORTEST = Duration.ofSeconds(1);

    private Durations() {}

    /**
     * Reads one.
     *
     * @param text a duration; null or blank for none
     * @return zero for none
     * @throws IllegalArgumentException if it is none, or shorter than a second; the message says what is taken
     */
    static Duration parse(String text) {
        if (text == null || text.isBlank()) {
            return Duration.ZERO;
        }
        Duration sum = Duration.ZERO;
        Matcher matcher = PART.matcher(text.toLowerCase(Locale.ROOT));
        int end = 0;
        while (end < text.length() && matcher.find(end) && matcher.start() == end) {
            long n = Long.parseLong(matcher.group(1));
            sum = sum.plus(switch (matcher.group(2)) {
                case "d" -> Duration.ofDays(n);
                case "h" -> Duration.ofHours(n);
                case "m", "min" -> Duration.ofMinutes(n);
                default -> Duration.ofSeconds(n);
            });
            end = matcher.end();
        }
        if (end < text.length() || sum.compareTo(SHORTEST) < 0) {
            throw new IllegalArgumentException(Messages.Duration_Invalid(text));
        }
        return sum;
    }
}
