// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An object of parsed JSON of foreign origin. What is missing is empty or zero, for other versions may leave it out; what is of another type
 * than it should be is an IllegalArgumentException that names it.
 */
final class JsonObject {
    // As many as the largest summary has of anything; a longer list is not one of ours.
    private static final int MAX_LIST = 1 << 17;

    private final Map<?, ?> map;

    private JsonObject(Map<?, ?> map) {
        this.map = map;
    }

    static JsonObject of(Object json, String what) {
        if (json instanceof Map<?, ?> map) {
            return new JsonObject(map);
        }
        throw new IllegalArgumentException("expected an object as \"" + what + "\"");
    }

    boolean has(String key) {
        return map.get(key) != null;
    }

    JsonObject object(String key) {
        return optional(key).orElse(new JsonObject(Map.of()));
    }

    Optional<JsonObject> optional(String key) {
        return has(key) ? Optional.of(of(map.get(key), key)) : Optional.empty();
    }

    List<JsonObject> list(String key) {
        List<JsonObject> list = new ArrayList<>();
        for (Object item : items(key)) {
            list.add(of(item, key));
        }
        return list;
    }

    List<String> texts(String key) {
        List<String> list = new ArrayList<>();
        for (Object item : items(key)) {
            if (!(item instanceof String text)) {
                throw new IllegalArgumentException("expected strings in \"" + key + "\"");
            }
            list.add(text);
        }
        return list;
    }

    private List<?> items(String key) {
        Object value = map.get(key);
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof List<?> list) || list.size() > MAX_LIST) {
            throw new IllegalArgumentException("expected a list of at most " + MAX_LIST + " as \"" + key + "\"");
        }
        return list;
    }

    String text(String key) {
        Object value = map.get(key);
        if (value == null) {
            return "";
        }
        if (!(value instanceof String text)) {
            throw new IllegalArgumentException("expected a string as \"" + key + "\"");
        }
        return text;
    }

    long number(String key) {
        Object value = map.get(key);
        if (value == null) {
            return 0;
        }
        if (!(value instanceof Long number)) {
            throw new IllegalArgumentException("expected a whole number as \"" + key + "\"");
        }
        return number;
    }

    /** A number that is not negative. */
    long size(String key) {
        long number = number(key);
        if (number < 0) {
            throw new IllegalArgumentException("a negative number as \"" + key + "\"");
        }
        return number;
    }

    /** A number from 0 to 2^31-1. */
    int count(String key) {
        long number = size(key);
        if (number > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("an impossible number as \"" + key + "\"");
        }
        return (int) number;
    }

    /** A string of hexadecimal digits behind 0x. */
    long address(String key) {
        String text = text(key);
        if (text.isEmpty()) {
            return 0;
        }
        if (!text.matches("0x[0-9a-f]{1,16}")) {
            throw new IllegalArgumentException("expected an address as \"" + key + "\"");
        }
        return Long.parseUnsignedLong(text.substring(2), 16);
    }

    boolean flag(String key) {
        return Boolean.TRUE.equals(map.get(key));
    }
}
