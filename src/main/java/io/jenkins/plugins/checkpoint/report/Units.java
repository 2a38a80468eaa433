// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

import java.util.Locale;

/** Sizes and times as people read them. */
public final class Units {
    private Units() {}

    /**
     * A size.
     *
     * @param bytes how many
     * @return such as {@code 12.3 MiB}
     */
    public static String size(long bytes) {
        if (bytes < 1024) {
            return bytes + " B";
        }
        double value = bytes;
        int unit = -1;
        do {
            value /= 1024;
            unit++;
        } while (value >= 1024 && unit < 4);
        return String.format(Locale.ROOT, value < 100 ? "%.1f %s" : "%.0f %s", value, new String[] {"KiB", "MiB", "GiB", "TiB", "PiB"}[unit]);
    }

    /**
     * A time span.
     *
     * @param nanos nanoseconds
     * @return such as {@code 12 ms}, {@code 3.1 s}, {@code 2 h 5 min}
     */
    public static String time(long nanos) {
        double millis = nanos / 1e6;
        if (millis < 10) {
            return String.format(Locale.ROOT, "%.1f ms", millis);
        }
        if (millis < 1000) {
            return String.format(Locale.ROOT, "%.0f ms", millis);
        }
        if (millis < 300_000) {
            return String.format(Locale.ROOT, "%.1f s", millis / 1000);
        }
        long minutes = Math.round(millis / 60_000);
        return minutes < 120 ? minutes + " min" : minutes / 60 + " h " + minutes % 60 + " min";
    }

    /**
     * A time span.
     *
     * @param micros microseconds
     * @return as {@link #time}
     */
    public static String micros(long micros) {
        return time(micros > Long.MAX_VALUE / 1000 ? Long.MAX_VALUE : micros * 1000);
    }

    /**
     * So many of something.
     *
     * @param n how many
     * @param one its name when it is one
     * @param many its name otherwise
     * @return such as {@code 1 process}, {@code 12,000 pages}
     */
    public static String count(long n, String one, String many) {
        return String.format(Locale.ROOT, "%,d", n) + " " + (n == 1 ? one : many);
    }
}
