// SPDX-License-Identifier: MIT
package jenkins.util;

import java.util.logging.Level;

public class SystemProperties {
    public static String getString(String text) {
        throw new UnsupportedOperationException();
    }

    public static boolean getBoolean(String text) {
        throw new UnsupportedOperationException();
    }

    public static boolean getBoolean(String text, boolean value) {
        throw new UnsupportedOperationException();
    }

    public static Integer getInteger(String text) {
        throw new UnsupportedOperationException();
    }

    public static Integer getInteger(String text, Integer integer) {
        throw new UnsupportedOperationException();
    }

    public static Integer getInteger(String text, Integer integer, Level level) {
        throw new UnsupportedOperationException();
    }

    public static Long getLong(String text) {
        throw new UnsupportedOperationException();
    }

    public static Long getLong(String text, Long long_) {
        throw new UnsupportedOperationException();
    }

    public static Long getLong(String text, Long long_, Level level) {
        throw new UnsupportedOperationException();
    }

    SystemProperties() {
        throw new UnsupportedOperationException();
    }
}
