// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import java.util.Locale;

/** Sizes and times for the console. */
final class Sizes {
    private static final String[] UNITS = {"KiB", "MiB", "GiB", "TiB"};

    private Sizes() {}

    /** Bytes, in the largest unit that leaves at least 1. */
    static String bytes(long bytes) {
        double value = bytes;
        int unit = -1;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit < 0 ? bytes + " bytes" : String.format(Locale.ROOT, value < 10 ? "%.1f %s" : "%.0f %s", value, UNITS[unit]);
    }

    /** Microseconds. */
    static String micros(long micros) {
        return micros < 10_000 ? String.format(Locale.ROOT, "%.1f ms", micros / 1e3) : millis(micros / 1000);
    }

    /** Milliseconds. */
    static String millis(long millis) {
        return millis < 1000 ? millis + " ms" : millis < 120_000 ? String.format(Locale.ROOT, "%.1f s", millis / 1e3) : millis / 60_000 + " min " + millis / 1000 % 60 + " s";
    }
}
