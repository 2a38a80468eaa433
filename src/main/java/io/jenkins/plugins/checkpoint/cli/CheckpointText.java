// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.Json;
import io.jenkins.plugins.checkpoint.archive.Manifest;
import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.Task;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A checkpoint for people, and as JSON. */
final class CheckpointText {
    private static final int MAX_COMMAND = 160;
    // Deeper trees are drawn no further to the right.
    private static final int MAX_INDENT = 40;

    private CheckpointText() {}

    static String text(Path where, Checkpoint checkpoint, Manifest manifest) {
        StringBuilder out = new StringBuilder();
        long stored = checkpoint.tasks().stream().mapToLong(task -> task.memory().stored()).sum();
        long threads = checkpoint.tasks().stream().mapToLong(task -> task.threads().size()).sum();
        out.append(where).append(": ").append(count(checkpoint.tasks().size(), "process", "processes")).append(", ")
                .append(count(threads, "thread", "threads")).append(", ").append(Text.size(stored)).append(" of memory\n");
        if (manifest != null) {
            out.append("packed ").append(Text.safe(manifest.created(), 40)).append(" on kernel ").append(Text.safe(manifest.host().kernel(), 80))
                    .append(", ").append(Text.safe(manifest.host().architecture(), 20)).append(", ").append(Text.safe(manifest.host().cpu(), 80)).append("; ")
                    .append(manifest.files().size()).append(" files, ").append(Text.size(manifest.bytes())).append(", all hashes right\n");
        }
        checkpoint.stats().ifPresent(stats -> out.append(String.format(Locale.ROOT, "dump: frozen for %s (memory %s, freezing %s); %d pages written, %d looked at%n",
                micros(stats.frozen()), micros(stats.memoryDump()), micros(stats.freezing()), stats.pagesWritten(), stats.pagesScanned())));
        Map<Integer, Integer> depths = new LinkedHashMap<>();
        for (Task task : checkpoint.tasks()) {
            int depth = Math.min(depths.getOrDefault(task.parent(), -1) + 1, MAX_INDENT);
            depths.put(task.pid(), depth);
            describe(out, task, "  ".repeat(depth));
        }
        return out.toString();
    }

    private static void describe(StringBuilder out, Task task, String indent) {
        out.append('\n').append(indent).append(task.pid()).append(' ').append(Text.safe(task.name(), 32));
        if (!task.state().equals("alive")) {
            out.append(" (").append(task.state()).append(')');
        }
        out.append(", group ").append(task.group()).append(", session ").append(task.session()).append('\n');
        String inner = indent + "    ";
        if (!task.arguments().isEmpty()) {
            out.append(inner).append("command  ").append(Text.safe(String.join(" ", task.arguments()), MAX_COMMAND)).append('\n');
        }
        if (!task.program().isEmpty()) {
            out.append(inner).append("program  ").append(Text.safe(task.program(), MAX_COMMAND)).append('\n');
        }
        if (task.threads().size() > 1) {
            String ids = String.join(" ", task.threads().stream().map(String::valueOf).toList());
            out.append(inner).append("threads  ").append(task.threads().size()).append(": ").append(Text.safe(ids, MAX_COMMAND)).append('\n');
        }
        if (task.memory().mappings() > 0) {
            out.append(inner).append("memory   ").append(Text.size(task.memory().stored())).append(" stored of ").append(Text.size(task.memory().mapped()))
                    .append(" in ").append(task.memory().mappings()).append(" mappings");
            if (task.memory().inParent() > 0) {
                out.append(", ").append(Text.size(task.memory().inParent())).append(" in an earlier dump");
            }
            out.append('\n');
        }
        for (Task.OpenFile file : task.files()) {
            out.append(String.format(Locale.ROOT, "%sfd %-5d %s%s%s%n", inner, file.descriptor(), file.kind(),
                    file.name().isEmpty() ? "" : " " + Text.safe(file.name(), MAX_COMMAND), file.position() == 0 ? "" : " at " + file.position()));
        }
    }

    static Map<String, Object> json(Checkpoint checkpoint, Manifest manifest) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("imageVersion", checkpoint.imageVersion());
        json.put("root", checkpoint.root());
        checkpoint.stats().ifPresent(stats -> {
            Map<String, Object> times = new LinkedHashMap<>();
            times.put("freezingMicros", stats.freezing());
            times.put("frozenMicros", stats.frozen());
            times.put("memoryDumpMicros", stats.memoryDump());
            times.put("memoryWriteMicros", stats.memoryWrite());
            times.put("pagesScanned", stats.pagesScanned());
            times.put("pagesWritten", stats.pagesWritten());
            json.put("dump", times);
        });
        List<Object> tasks = new ArrayList<>();
        for (Task task : checkpoint.tasks()) {
            tasks.add(json(task));
        }
        json.put("processes", tasks);
        if (manifest != null) {
            json.put("manifest", Json.parse(manifest.toJson()));
        }
        return json;
    }

    private static Map<String, Object> json(Task task) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("pid", task.pid());
        json.put("parent", task.parent());
        json.put("group", task.group());
        json.put("session", task.session());
        json.put("threads", task.threads());
        json.put("state", task.state());
        json.put("name", task.name());
        json.put("program", task.program());
        json.put("arguments", task.arguments());
        Map<String, Object> memory = new LinkedHashMap<>();
        memory.put("mappings", task.memory().mappings());
        memory.put("mappedBytes", task.memory().mapped());
        memory.put("storedBytes", task.memory().stored());
        memory.put("inParentBytes", task.memory().inParent());
        json.put("memory", memory);
        List<Object> files = new ArrayList<>();
        for (Task.OpenFile file : task.files()) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("descriptor", file.descriptor());
            entry.put("kind", file.kind());
            entry.put("name", file.name());
            entry.put("position", file.position());
            files.add(entry);
        }
        json.put("files", files);
        return json;
    }

    private static String micros(long micros) {
        return Text.time(micros * 1000);
    }

    private static String count(long n, String one, String many) {
        return n + " " + (n == 1 ? one : many);
    }
}
