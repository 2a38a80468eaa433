// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** What can be said of a run and its checkpoints; the steps and the freestyle builders hold one each. */
final class RunOptions implements Serializable {
    private static final long serialVersionUID = 1;

    String name = "run";
    String every;
    ArrayList<String> on = new ArrayList<>();
    int keep;
    boolean incremental;
    int compression;
    String includes;
    String excludes;
    boolean archive = true;
    String engine = "auto";
    boolean returnStatus;
    boolean returnStdout;
    /** RPC options by camelCase name; only those that were given. */
    final TreeMap<String, Object> rpc = new TreeMap<>();

    /** Says whether a checkpoint is wanted for a reason. */
    boolean wants(CheckpointReason reason) {
        return on.contains(reason.word());
    }

    /**
     * Checks everything that can be checked before the run starts.
     *
     * @throws IllegalArgumentException saying what is wrong
     */
    void validate() {
        requireName(name);
        Durations.parse(every);
        for (String event : on) {
            if (!CheckpointReason.events().contains(event)) {
                throw new IllegalArgumentException(Messages.On_Invalid(event, String.join(", ", CheckpointReason.events())));
            }
        }
        if (keep < 0) {
            throw new IllegalArgumentException(Messages.Keep_Invalid());
        }
        if (compression < 0 || compression > 19) {
            throw new IllegalArgumentException(Messages.Compression_Invalid());
        }
        if (returnStatus && returnStdout) {
            throw new IllegalArgumentException(Messages.Return_Both());
        }
        if (!List.of("auto", "embedded", "criu").contains(engine)) {
            throw new IllegalArgumentException(Messages.Engine_Invalid(engine));
        }
    }

    /**
     * Checks a checkpoint's name: it becomes a part of paths.
     *
     * @throws IllegalArgumentException if it is none
     */
    static void requireName(String name) {
        if (name == null || !name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")) {
            throw new IllegalArgumentException(Messages.Name_Invalid(name == null ? "" : name));
        }
    }

    /** A text without blanks around it; null for none. */
    static String text(String given) {
        return given == null || given.isBlank() ? null : given.strip();
    }

    /** A list as it was given; empty for none. */
    @SuppressWarnings("unchecked")
    static List<String> list(Object value) {
        return value == null ? List.of() : (List<String>) value;
    }

    /** A list; what a form gives has one item with commas in it. Null for an empty one. */
    static ArrayList<String> split(List<String> items) {
        ArrayList<String> parts = new ArrayList<>();
        for (String item : items == null ? List.<String>of() : items) {
            for (String part : item.split(",")) {
                if (!part.isBlank()) {
                    parts.add(part.strip());
                }
            }
        }
        return parts.isEmpty() ? null : parts;
    }

    /** A copy with what a dump step says of storage, where it says something. */
    RunOptions withStorageOf(RunOptions step) {
        RunOptions copy = new RunOptions();
        copy.name = name;
        copy.keep = step.keep > 0 ? step.keep : keep;
        copy.compression = step.compression > 0 ? step.compression : compression;
        copy.includes = step.includes != null ? step.includes : includes;
        copy.excludes = step.excludes != null ? step.excludes : excludes;
        copy.archive = step.archive && archive;
        copy.engine = step.engine.equals("auto") ? engine : step.engine;
        copy.incremental = incremental;
        copy.rpc.putAll(rpc);
        return copy;
    }
}
