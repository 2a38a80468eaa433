// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What an archive says of itself, in {@code manifest.json}.
 *
 * @param created when it was packed, ISO 8601, UTC
 * @param host the machine that it was packed on
 * @param files every file of the images directory, by name
 * @param tree the processes, parents before their children
 * @param timings of the dump, in microseconds, by name; empty if the images do not tell
 * @param summary what the images hold, in short, for reports: JSON of {@link io.jenkins.plugins.checkpoint.image.CheckpointJson}; empty in older archives
 */
public record Manifest(String created, Host host, List<FileEntry> files, List<ProcessEntry> tree, Map<String, Long> timings, Map<String, Object> summary) {
    /** Name of the archive's first entry. */
    public static final String ENTRY = "manifest.json";

    /** Largest manifest taken, in bytes. */
    public static final int MAX_SIZE = 32 << 20;

    private static final String FORMAT = "process-checkpoint";
    private static final long VERSION = 1;

    /**
     * A machine, as far as a restore depends on it.
     *
     * @param kernel release, as uname -r
     * @param architecture as uname -m
     * @param cpu model name
     * @param cpuFeatures instruction sets that programs may have found and used
     */
    public record Host(String kernel, String architecture, String cpu, List<String> cpuFeatures) {}

    /**
     * A file of the images directory.
     *
     * @param name its name, no path
     * @param size in bytes
     * @param sha256 in lower case hex
     */
    public record FileEntry(String name, long size, String sha256) {}

    /**
     * A process.
     *
     * @param pid its id
     * @param parent its parent's, 0 for the root
     * @param group process group
     * @param session session
     * @param threads ids of all threads
     * @param name comm
     */
    public record ProcessEntry(int pid, int parent, int group, int session, List<Integer> threads, String name) {}

    /**
     * How large all files are together.
     *
     * @return bytes
     */
    public long bytes() {
        return files.stream().mapToLong(FileEntry::size).sum();
    }

    /** The same with other files. */
    Manifest withFiles(List<FileEntry> others) {
        return new Manifest(created, host, List.copyOf(others), tree, timings, summary);
    }

    /**
     * Leaves the summary out.
     *
     * @return the same manifest, without a summary
     */
    public Manifest withoutSummary() {
        return new Manifest(created, host, files, tree, timings, Map.of());
    }

    /**
     * Says whether a name may stand in an archive: a plain file name that fits into a tar header.
     *
     * @param name a file's name
     * @return false for a path, a dot name, control characters, and names longer than 90 bytes
     */
    static boolean isFileName(String name) {
        return name.matches("[\\x21-\\x7e&&[^/\\\\]]{1,90}") && !name.equals(".") && !name.equals("..");
    }

    /**
     * Writes it.
     *
     * @return JSON
     */
    public String toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", FORMAT);
        json.put("version", VERSION);
        json.put("created", created);
        json.put("kernel", host.kernel());
        json.put("architecture", host.architecture());
        json.put("cpu", host.cpu());
        json.put("cpuFeatures", host.cpuFeatures());
        json.put("bytes", bytes());
        json.put("timingsMicros", timings);
        List<Object> processes = new ArrayList<>();
        for (ProcessEntry process : tree) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("pid", process.pid());
            entry.put("parent", process.parent());
            entry.put("group", process.group());
            entry.put("session", process.session());
            entry.put("threads", process.threads());
            entry.put("name", process.name());
            processes.add(entry);
        }
        json.put("tree", processes);
        List<Object> list = new ArrayList<>();
        for (FileEntry file : files) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("name", file.name());
            entry.put("size", file.size());
            entry.put("sha256", file.sha256());
            list.add(entry);
        }
        json.put("files", list);
        if (!summary.isEmpty()) {
            json.put("summary", summary);
        }
        return Json.write(json);
    }

    /**
     * Reads and checks one.
     *
     * @param text JSON
     * @return the manifest: every file name plain and there once, every size and hash well formed
     * @throws ArchiveException if it is not one, with the reason
     */
    public static Manifest parse(String text) throws ArchiveException {
        try {
            return read(Json.parse(text));
        } catch (IllegalArgumentException | ClassCastException | ArithmeticException e) {
            throw new ArchiveException("damaged " + ENTRY + ": " + e.getMessage());
        }
    }

    private static Manifest read(Object json) throws ArchiveException {
        if (!(json instanceof Map<?, ?> map) || !FORMAT.equals(map.get("format"))) {
            throw new ArchiveException(ENTRY + " is not that of a checkpoint");
        }
        if (!Long.valueOf(VERSION).equals(map.get("version"))) {
            throw new ArchiveException(ENTRY + " has version " + map.get("version") + "; this program understands " + VERSION);
        }
        Host host = new Host(string(map, "kernel"), string(map, "architecture"), string(map, "cpu"),
                list(map, "cpuFeatures").stream().map(String.class::cast).toList());
        Map<String, Long> timings = new TreeMap<>();
        if (map.get("timingsMicros") instanceof Map<?, ?> times) {
            times.forEach((key, value) -> timings.put((String) key, (Long) value));
        }
        return new Manifest(string(map, "created"), host, readFiles(list(map, "files")), readTree(list(map, "tree")), timings,
                readSummary(map.get("summary")));
    }

    // Only whoever shows it reads it closely: a restore does not depend on it.
    private static Map<String, Object> readSummary(Object value) {
        Map<String, Object> summary = new LinkedHashMap<>();
        if (value instanceof Map<?, ?> map) {
            map.forEach((key, item) -> summary.put((String) key, item));
        }
        return summary;
    }

    private static List<FileEntry> readFiles(List<?> list) {
        List<FileEntry> files = new ArrayList<>();
        Set<String> names = new HashSet<>();
        long total = 0;
        for (Object item : list) {
            Map<?, ?> map = (Map<?, ?>) item;
            FileEntry file = new FileEntry(string(map, "name"), number(map, "size"), string(map, "sha256"));
            if (!isFileName(file.name())) {
                throw new IllegalArgumentException("\"" + printable(file.name()) + "\" is not a plain file name");
            }
            if (!names.add(file.name())) {
                throw new IllegalArgumentException(file.name() + " is there twice");
            }
            if (file.size() < 0 || !file.sha256().matches("[0-9a-f]{64}")) {
                throw new IllegalArgumentException(file.name() + " has an impossible size or hash");
            }
            total = Math.addExact(total, file.size());
            files.add(file);
        }
        return files;
    }

    private static List<ProcessEntry> readTree(List<?> list) {
        List<ProcessEntry> tree = new ArrayList<>();
        for (Object item : list) {
            Map<?, ?> map = (Map<?, ?>) item;
            tree.add(new ProcessEntry(Math.toIntExact(number(map, "pid")), Math.toIntExact(number(map, "parent")), Math.toIntExact(number(map, "group")),
                    Math.toIntExact(number(map, "session")), list(map, "threads").stream().map(id -> Math.toIntExact((Long) id)).toList(),
                    string(map, "name")));
        }
        return tree;
    }

    static String printable(String text) {
        String clean = text.replaceAll("[^\\x20-\\x7e]", "?");
        return clean.length() > 100 ? clean.substring(0, 97) + "..." : clean;
    }

    private static String string(Map<?, ?> map, String key) {
        if (!(map.get(key) instanceof String value)) {
            throw new IllegalArgumentException("expected a string as \"" + key + "\"");
        }
        return value;
    }

    private static long number(Map<?, ?> map, String key) {
        if (!(map.get(key) instanceof Long value)) {
            throw new IllegalArgumentException("expected a whole number as \"" + key + "\"");
        }
        return value;
    }

    private static List<?> list(Map<?, ?> map, String key) {
        if (!(map.get(key) instanceof List<?> value)) {
            throw new IllegalArgumentException("expected a list as \"" + key + "\"");
        }
        return value;
    }
}
