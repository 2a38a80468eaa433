// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Masks what looks like a secret, or is known to be one, in command lines and names that are shown to people. It cannot find all of them,
 * and the images keep what they hold: this spares secrets the reports, which more people read.
 */
public final class Secrets {
    /** What stands for a secret. */
    public static final String MASK = "****";

    // Bounded repetitions: linear in the text's length, whatever it holds.
    private static final String NAME = "[\\w.-]{0,40}(?:password|passwd|passphrase|secret|token|credential|api[-_.]?key|access[-_.]?key|private[-_.]?key)[\\w.-]{0,40}";
    private static final Pattern ASSIGNED = Pattern.compile("(?i)(" + NAME + "[\"']?(?:=|: ?))(\"[^\"]{1,4096}\"|'[^']{1,4096}'|[^\\s\"'&;]{1,4096})");
    private static final Pattern FOLLOWING = Pattern.compile("(?i)(--?" + NAME + " {1,9})([^\\s\"';&-][^\\s\"';&]{0,4096})");
    private static final Pattern OPTION = Pattern.compile("(?i)--?" + NAME);
    private static final Pattern URL = Pattern.compile("(://[^\\s/@:]{0,256}:)[^\\s/@]{1,256}@");
    private static final Pattern HEADER = Pattern.compile("(?i)(authorization: ?(?:[a-z]{1,20} )?)\\S{1,4096}");
    // Shapes that services give their tokens so that they can be found.
    private static final Pattern SHAPE = Pattern.compile("gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\\w{20,255}|glpat-[\\w-]{20,255}|AKIA[0-9A-Z]{16}|xox[abprs]-[\\w-]{10,255}"
            + "|eyJ[\\w-]{10,2048}\\.[\\w-]{10,2048}\\.[\\w-]{0,2048}");

    private final List<String> known;

    /**
     * Remembers secrets.
     *
     * @param known values that must not be shown; those of fewer than four characters are not looked for, since they are everywhere
     */
    public Secrets(Collection<String> known) {
        // A secret may be part of another.
        this.known = known.stream().filter(value -> value.length() >= 4).sorted(Comparator.comparingInt(String::length).reversed()).toList();
    }

    /**
     * Masks a command line.
     *
     * @param arguments one string each
     * @return the same, with secrets replaced by {@link #MASK}
     */
    public List<String> maskArguments(List<String> arguments) {
        List<String> masked = new ArrayList<>();
        boolean follows = false;
        for (String argument : arguments) {
            masked.add(follows && !argument.startsWith("-") ? MASK : mask(argument));
            follows = OPTION.matcher(argument).matches();
        }
        return masked;
    }

    /**
     * Masks any text.
     *
     * @param text such as an argument or a path
     * @return the same, with secrets replaced by {@link #MASK}
     */
    public String mask(String text) {
        String masked = maskKnown(text);
        masked = ASSIGNED.matcher(masked).replaceAll("$1" + MASK);
        masked = FOLLOWING.matcher(masked).replaceAll("$1" + MASK);
        masked = URL.matcher(masked).replaceAll("$1" + MASK + "@");
        masked = HEADER.matcher(masked).replaceAll("$1" + MASK);
        return SHAPE.matcher(masked).replaceAll(MASK);
    }

    /**
     * Masks only what is known to be secret, in names that are no command lines.
     *
     * @param text such as a path
     * @return the same, with secrets replaced by {@link #MASK}
     */
    public String maskKnown(String text) {
        String masked = text;
        for (String secret : known) {
            masked = masked.replace(secret, MASK);
        }
        return masked;
    }
}
