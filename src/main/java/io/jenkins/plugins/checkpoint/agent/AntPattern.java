// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Patterns as Ant has them: {@code *} within a name, {@code **} across directories, {@code ?} one character, separated by commas. */
final class AntPattern {
    private final List<Pattern> patterns = new ArrayList<>();

    /**
     * Reads patterns.
     *
     * @param text patterns separated by commas; null or blank for none
     */
    AntPattern(String text) {
        if (text != null) {
            for (String pattern : text.split(",")) {
                if (!pattern.isBlank()) {
                    patterns.add(compile(pattern.strip()));
                }
            }
        }
    }

    private static Pattern compile(String pattern) {
        String text = pattern.startsWith("./") ? pattern.substring(2) : pattern;
        if (text.endsWith("/")) {
            text += "**";
        }
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (text.startsWith("**/", i)) {
                regex.append("(?:[^/]+/)*");
                i += 2;
            } else if (text.startsWith("/**", i) && i + 3 == text.length()) {
                regex.append("(?:/.*)?");
                i += 2;
            } else if (text.startsWith("**", i)) {
                regex.append(".*");
                i++;
            } else if (c == '*') {
                regex.append("[^/]*");
            } else if (c == '?') {
                regex.append("[^/]");
            } else {
                regex.append(Pattern.quote(String.valueOf(c)));
            }
        }
        return Pattern.compile(regex.toString());
    }

    /** Says whether there is no pattern at all. */
    boolean isEmpty() {
        return patterns.isEmpty();
    }

    /** Says whether a path, relative and with slashes, is meant. */
    boolean matches(String path) {
        return patterns.stream().anyMatch(pattern -> pattern.matcher(path).matches());
    }
}
