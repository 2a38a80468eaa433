// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.Json;
import io.jenkins.plugins.checkpoint.archive.Manifest;
import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.CheckpointJson;
import io.jenkins.plugins.checkpoint.image.Descriptor;
import io.jenkins.plugins.checkpoint.image.Needs;
import io.jenkins.plugins.checkpoint.image.Task;
import io.jenkins.plugins.checkpoint.image.TaskTimer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
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
        Checkpoint.Totals totals = checkpoint.totals();
        out.append(where).append(": ").append(count(totals.processes(), "process", "processes")).append(", ")
                .append(count(totals.threads(), "thread", "threads")).append(", ").append(Text.size(totals.stored())).append(" of memory\n");
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
        needs(out, checkpoint.needs());
        return out.toString();
    }

    private static void describe(StringBuilder out, Task task, String indent) {
        out.append('\n').append(indent).append(task.pid()).append(' ').append(Text.safe(task.name(), 32));
        if (!task.state().equals("alive")) {
            out.append(" (").append(task.state()).append(')');
        }
        out.append(", group ").append(task.group()).append(", session ").append(task.session());
        if (task.memory().mappings() > 0) {
            out.append(", user ").append(task.credentials().uid());
        }
        out.append('\n');
        String inner = indent + "    ";
        if (!task.arguments().isEmpty()) {
            out.append(inner).append("command  ").append(Text.safe(String.join(" ", task.arguments()), MAX_COMMAND)).append('\n');
        }
        if (!task.program().isEmpty()) {
            out.append(inner).append("program  ").append(Text.safe(task.program(), MAX_COMMAND)).append('\n');
        }
        if (!task.directory().isEmpty()) {
            out.append(inner).append("in       ").append(Text.safe(task.directory(), MAX_COMMAND)).append('\n');
        }
        if (task.threads().size() > 1) {
            String ids = String.join(" ", task.threadIds().stream().map(String::valueOf).toList());
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
        for (Descriptor descriptor : task.descriptors()) {
            out.append(String.format(Locale.ROOT, "%sfd %-5d %s%s%n", inner, descriptor.number(), Text.safe(descriptor.what(), MAX_COMMAND), details(descriptor)));
        }
        for (TaskTimer timer : task.timers()) {
            out.append(inner).append("timer    ").append(timer.clock()).append(timer.remaining() == 0 ? ", not armed" : ", fires in " + micros(timer.remaining()))
                    .append(timer.interval() == 0 ? "" : ", then every " + micros(timer.interval())).append('\n');
        }
    }

    private static String details(Descriptor descriptor) {
        StringBuilder out = new StringBuilder();
        if (!descriptor.name().isEmpty()) {
            out.append(' ').append(Text.safe(descriptor.name(), MAX_COMMAND));
        }
        if (descriptor.position() != 0) {
            out.append(" at ").append(descriptor.position());
        }
        if (descriptor.socket() != null) {
            out.append(' ').append(Text.safe(descriptor.socket().state(), MAX_COMMAND));
            if (descriptor.name().isEmpty() && !descriptor.socket().local().isEmpty()) {
                out.append(' ').append(Text.safe(descriptor.socket().local(), MAX_COMMAND));
            }
            if (!descriptor.socket().remote().isEmpty()) {
                out.append(" to ").append(Text.safe(descriptor.socket().remote(), MAX_COMMAND));
            }
        }
        if (!descriptor.detail().isEmpty()) {
            out.append(", ").append(Text.safe(descriptor.detail(), MAX_COMMAND));
        }
        if (!descriptor.peers().isEmpty()) {
            out.append("; other end: ").append(String.join(", ", descriptor.peers().stream().map(end -> "pid " + end.pid() + " fd " + end.number()).toList()));
        }
        return out.toString();
    }

    private static void needs(StringBuilder out, Needs needs) {
        out.append("\nto restore it:\n");
        for (Needs.NeededOption option : needs.options()) {
            out.append("    ").append(option.option()).append(": ").append(Text.safe(option.reason(), MAX_COMMAND)).append('\n');
        }
        for (String privilege : needs.privileges()) {
            out.append("    ").append(Text.safe(privilege, MAX_COMMAND)).append('\n');
        }
        out.append("    ").append(count(needs.files().size() + needs.omittedFiles(), "file has", "files have")).append(" to be there, unchanged (--json lists them)\n");
    }

    static Map<String, Object> json(Checkpoint checkpoint, Manifest manifest) {
        Map<String, Object> json = CheckpointJson.write(checkpoint);
        if (manifest != null) {
            // The images tell the same, and more.
            json.put("manifest", Json.parse(manifest.withoutSummary().toJson()));
        }
        return json;
    }

    private static String micros(long micros) {
        return Text.time(micros * 1000);
    }

    private static String count(long n, String one, String many) {
        return n + " " + (n == 1 ? one : many);
    }
}
