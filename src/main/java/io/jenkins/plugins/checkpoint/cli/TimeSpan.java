// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How long, as people write it: {@code 90}, {@code 90s}, {@code 15m}, {@code 2h}. */
final class TimeSpan implements ITypeConverter<Duration> {
    private static final Pattern FORM = Pattern.compile("(\\d{1,7})([smh]?)");
    // What a socket's time-out has room for, in milliseconds in an int.
    private static final Duration MAX = Duration.ofDays(24);

    @Override
    public Duration convert(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new TypeConversionException("'" + text + "' is no time: expected such as 90s, 15m or 2h");
        }
        long number = Long.parseLong(matcher.group(1));
        Duration span = switch (matcher.group(2)) {
            case "h" -> Duration.ofHours(number);
            case "m" -> Duration.ofMinutes(number);
            default -> Duration.ofSeconds(number);
        };
        if (span.isZero() || span.compareTo(MAX) > 0) {
            throw new TypeConversionException("'" + text + "': expected 1s to " + MAX.toDays() * 24 + "h");
        }
        return span;
    }
}
