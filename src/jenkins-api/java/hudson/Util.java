// SPDX-License-Identifier: MIT
package hudson;

import java.util.Collection;
import java.util.List;
import java.util.Set;

public class Util {
    public static <T> List<T> filter(Iterable<?> iterable, Class<T> type) {
        throw new UnsupportedOperationException();
    }

    public static <T> List<T> filter(List<?> list, Class<T> type) {
        throw new UnsupportedOperationException();
    }

    public static String getTimeSpanString(long value) {
        throw new UnsupportedOperationException();
    }

    public static String rawEncode(String text) {
        throw new UnsupportedOperationException();
    }

    public static String escape(String text) {
        throw new UnsupportedOperationException();
    }

    public static String xmlEscape(String text) {
        throw new UnsupportedOperationException();
    }

    public static String fixNull(String text) {
        throw new UnsupportedOperationException();
    }

    public static <T> T fixNull(T value1, T value2) {
        throw new UnsupportedOperationException();
    }

    public static String fixEmpty(String text) {
        throw new UnsupportedOperationException();
    }

    public static String fixEmptyAndTrim(String text) {
        throw new UnsupportedOperationException();
    }

    public static <T> List<T> fixNull(List<T> list) {
        throw new UnsupportedOperationException();
    }

    public static <T> Set<T> fixNull(Set<T> set) {
        throw new UnsupportedOperationException();
    }

    public static <T> Collection<T> fixNull(Collection<T> collection) {
        throw new UnsupportedOperationException();
    }

    public static <T> Iterable<T> fixNull(Iterable<T> iterable) {
        throw new UnsupportedOperationException();
    }

    public static boolean isOverridden(Class<?> type1, Class<?> type2, String text, Class<?>[] type3) {
        throw new UnsupportedOperationException();
    }

    Util() {
        throw new UnsupportedOperationException();
    }
}
