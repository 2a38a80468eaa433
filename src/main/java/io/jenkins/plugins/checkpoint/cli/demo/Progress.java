// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli.demo;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The progress file of the demo's test run: {@code case 7 by worker-1 in 4711: 0123456789abcdef}, a line for each case. */
final class Progress {
    private static final Pattern LINE = Pattern.compile("case (\\d+) by (\\S+) in (\\d+): ([0-9a-f]{16})");

    private final Path file;

    Progress(Path file) {
        this.file = file;
    }

    /** Number of the last case that is done; 0 before the first. */
    int last() throws IOException {
        List<String> lines = lines();
        Matcher last = LINE.matcher(lines.isEmpty() ? "" : lines.get(lines.size() - 1));
        return last.matches() ? Integer.parseInt(last.group(1)) : 0;
    }

    /**
     * Looks for the first thing wrong.
     *
     * @param cases how many there must be
     * @return a gap, a repeat, or a link of the chain that does not follow from the one before; nothing if all is right
     */
    Optional<String> firstFault(int cases) throws IOException {
        byte[] link = "soak".getBytes(StandardCharsets.US_ASCII);
        int expected = 1;
        for (String line : lines()) {
            Matcher matcher = LINE.matcher(line);
            if (!matcher.matches()) {
                return Optional.of("line " + expected + " is broken: " + line);
            }
            int found = Integer.parseInt(matcher.group(1));
            if (found != expected) {
                return Optional.of(found < expected ? "case " + found + " is there again after case " + (expected - 1)
                        : "after case " + (expected - 1) + " comes case " + found);
            }
            link = next(link, found);
            if (!HexFormat.of().formatHex(link).startsWith(matcher.group(4))) {
                return Optional.of("case " + found + " came out wrong: the child's memory is not what it was");
            }
            expected++;
        }
        return expected == cases + 1 ? Optional.empty() : Optional.of("it ends after case " + (expected - 1) + " of " + cases);
    }

    private static byte[] next(byte[] link, int number) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(link);
            return digest.digest(ByteBuffer.allocate(4).putInt(number).array());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    // Without a last line that is being written just now.
    private List<String> lines() throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        String text = Files.readString(file, StandardCharsets.US_ASCII);
        return text.isEmpty() ? List.of() : new ArrayList<>(Arrays.asList(text.substring(0, text.lastIndexOf('\n') + 1).split("\n")));
    }
}
