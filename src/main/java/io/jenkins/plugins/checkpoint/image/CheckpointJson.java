// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** A checkpoint as JSON: maps, lists, strings, whole numbers, booleans. Addresses are strings, since they do not fit JavaScript's numbers. */
public final class CheckpointJson {
    private static final long VERSION = 1;

    private CheckpointJson() {}

    /**
     * Makes JSON.
     *
     * @param checkpoint all of one, or a summary
     * @return an object; what is empty or zero by nature is left out of mappings and descriptors
     */
    public static Map<String, Object> write(Checkpoint checkpoint) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("version", VERSION);
        json.put("imageVersion", (long) checkpoint.imageVersion());
        json.put("root", (long) checkpoint.root());
        Checkpoint.Totals totals = checkpoint.totals();
        json.put("totals", map("processes", totals.processes(), "threads", totals.threads(), "mappings", totals.mappings(), "descriptors",
                totals.descriptors(), "mappedBytes", totals.mapped(), "storedBytes", totals.stored(), "inParentBytes", totals.inParent()));
        checkpoint.stats().ifPresent(stats -> json.put("dump", map("freezingMicros", stats.freezing(), "frozenMicros", stats.frozen(), "memoryDumpMicros",
                stats.memoryDump(), "memoryWriteMicros", stats.memoryWrite(), "pagesScanned", stats.pagesScanned(), "pagesWritten", stats.pagesWritten())));
        json.put("processes", checkpoint.tasks().stream().map(CheckpointJson::write).toList());
        json.put("needs", write(checkpoint.needs()));
        return json;
    }

    private static Map<String, Object> write(Task task) {
        Map<String, Object> json = map("pid", task.pid(), "parent", task.parent(), "group", task.group(), "session", task.session(), "state", task.state(),
                "name", task.name(), "program", task.program(), "arguments", task.arguments(), "directory", task.directory());
        Credentials who = task.credentials();
        json.put("credentials", map("uid", who.uid(), "euid", who.euid(), "gid", who.gid(), "egid", who.egid(), "capabilities", hex(who.capabilities()),
                "seccomp", who.seccomp()));
        json.put("threads", task.threads().stream().map(thread -> map("id", thread.id(), "name", thread.name())).toList());
        json.put("memory", map("mappings", task.memory().mappings(), "mappedBytes", task.memory().mapped(), "storedBytes", task.memory().stored(),
                "inParentBytes", task.memory().inParent()));
        json.put("mappings", task.mappings().stream().map(CheckpointJson::write).toList());
        json.put("descriptors", task.descriptors().stream().map(CheckpointJson::write).toList());
        json.put("timers", task.timers().stream().map(timer -> map("clock", timer.clock(), "id", timer.id(), "remainingMicros", timer.remaining(),
                "intervalMicros", timer.interval())).toList());
        Task.Omitted omitted = task.omitted();
        if (!omitted.equals(Task.Omitted.NONE)) {
            json.put("omitted", map("threads", omitted.threads(), "mappings", omitted.mappings(), "mappedBytes", omitted.mapped(), "storedBytes",
                    omitted.stored(), "descriptors", omitted.descriptors(), "timers", omitted.timers()));
        }
        return json;
    }

    private static Map<String, Object> write(Mapping mapping) {
        Map<String, Object> json = map("start", hex(mapping.start()), "end", hex(mapping.end()), "bytes", mapping.size(), "kind", mapping.kind().word(),
                "permissions", mapping.permissions(), "storedBytes", mapping.stored());
        put(json, "inParentBytes", mapping.inParent(), 0L);
        put(json, "name", mapping.name(), "");
        put(json, "offset", mapping.offset(), 0L);
        put(json, "object", mapping.object(), 0L);
        put(json, "flags", mapping.flags(), List.of());
        return json;
    }

    private static Map<String, Object> write(Descriptor descriptor) {
        Map<String, Object> json = map("descriptor", descriptor.number(), "kind", descriptor.kind(), "what", descriptor.what(), "name", descriptor.name());
        put(json, "access", descriptor.access(), "");
        put(json, "closeOnExec", descriptor.closeOnExec(), false);
        put(json, "position", descriptor.position(), 0L);
        put(json, "size", descriptor.size(), -1L);
        if (descriptor.socket() != null) {
            put(json, "state", descriptor.socket().state(), "");
            put(json, "local", descriptor.socket().local(), "");
            put(json, "remote", descriptor.socket().remote(), "");
        }
        put(json, "detail", descriptor.detail(), "");
        json.put("file", descriptor.file());
        put(json, "peers", ends(descriptor.peers()), List.of());
        put(json, "sharers", ends(descriptor.sharers()), List.of());
        return json;
    }

    private static Map<String, Object> write(Needs needs) {
        return map("files", needs.files().stream().map(file -> map("path", file.path(), "size", file.size(), "use", file.use())).toList(), "omittedFiles",
                needs.omittedFiles(), "options",
                needs.options().stream().map(option -> map("option", option.option(), "reason", option.reason())).toList(), "privileges", needs.privileges());
    }

    /**
     * Reads JSON that {@link #write} made, or somebody who claims so.
     *
     * @param json an object
     * @return the checkpoint; every number and string as it stands, every mapping's end behind its start
     * @throws IllegalArgumentException if it is not such JSON; the message says what is wrong
     */
    public static Checkpoint read(Object json) {
        JsonObject top = JsonObject.of(json, "summary");
        if (top.number("version") != VERSION) {
            throw new IllegalArgumentException("a summary of version " + top.number("version") + "; this program understands " + VERSION);
        }
        JsonObject sums = top.object("totals");
        Checkpoint.Totals totals = new Checkpoint.Totals(sums.count("processes"), sums.count("threads"), sums.count("mappings"), sums.count("descriptors"),
                sums.size("mappedBytes"), sums.size("storedBytes"), sums.size("inParentBytes"));
        Optional<Checkpoint.DumpStats> stats = top.optional("dump").map(dump -> new Checkpoint.DumpStats(dump.size("freezingMicros"), dump.size("frozenMicros"),
                dump.size("memoryDumpMicros"), dump.size("memoryWriteMicros"), dump.size("pagesScanned"), dump.size("pagesWritten")));
        List<Task> tasks = list(top, "processes", CheckpointJson::task);
        if (tasks.isEmpty()) {
            throw new IllegalArgumentException("a summary without processes");
        }
        JsonObject needs = top.object("needs");
        return new Checkpoint(top.count("imageVersion"), top.count("root"), totals, tasks, stats,
                new Needs(list(needs, "files", file -> new Needs.NeededFile(file.text("path"), file.number("size"), file.text("use"))),
                        list(needs, "options", option -> new Needs.NeededOption(option.text("option"), option.text("reason"))), needs.texts("privileges"),
                        needs.count("omittedFiles")));
    }

    private static Task task(JsonObject json) {
        JsonObject who = json.object("credentials");
        JsonObject memory = json.object("memory");
        Task.Omitted omitted = json.optional("omitted").map(left -> new Task.Omitted(left.count("threads"), left.count("mappings"), left.size("mappedBytes"),
                left.size("storedBytes"), left.count("descriptors"), left.count("timers"))).orElse(Task.Omitted.NONE);
        return new Task(json.count("pid"), json.count("parent"), json.count("group"), json.count("session"),
                list(json, "threads", thread -> new TaskThread(thread.count("id"), thread.text("name"))), json.text("state"), json.text("name"),
                json.text("program"), json.texts("arguments"), json.text("directory"),
                new Credentials(who.size("uid"), who.size("euid"), who.size("gid"), who.size("egid"), who.address("capabilities"), who.text("seccomp")),
                new Task.Memory(memory.count("mappings"), memory.size("mappedBytes"), memory.size("storedBytes"), memory.size("inParentBytes")),
                list(json, "mappings", CheckpointJson::mapping), list(json, "descriptors", CheckpointJson::descriptor),
                list(json, "timers", timer -> new TaskTimer(timer.text("clock"), (int) timer.number("id"), timer.size("remainingMicros"),
                        timer.size("intervalMicros"))), omitted);
    }

    private static Mapping mapping(JsonObject json) {
        long start = json.address("start");
        long end = json.address("end");
        if (start < 0 || end <= start || end > PageStore.MAX_ADDRESS) {
            throw new IllegalArgumentException(String.format("a mapping from 0x%x to 0x%x", start, end));
        }
        MappingKind kind = MappingKind.of(json.text("kind")).orElseThrow(() -> new IllegalArgumentException("a mapping of unknown kind"));
        // More than all of it cannot be stored.
        long stored = Math.min(json.size("storedBytes"), end - start);
        return new Mapping(start, end, kind, json.text("permissions"), json.text("name"), json.number("offset"), stored,
                Math.min(json.size("inParentBytes"), end - start - stored), json.number("object"), json.texts("flags"));
    }

    private static Descriptor descriptor(JsonObject json) {
        Descriptor.Socket socket = json.has("state") ? new Descriptor.Socket(json.text("state"), json.text("local"), json.text("remote")) : null;
        return new Descriptor(json.count("descriptor"), json.text("kind"), json.text("what"), json.text("name"), json.text("access"), json.flag("closeOnExec"),
                json.number("position"), json.has("size") ? json.number("size") : -1, socket, json.text("detail"), json.number("file"), ends(json, "peers"),
                ends(json, "sharers"));
    }

    private static List<Descriptor.End> ends(JsonObject json, String key) {
        List<Descriptor.End> ends = new ArrayList<>();
        for (String text : json.texts(key)) {
            if (!text.matches("[0-9]{1,9}/[0-9]{1,9}")) {
                throw new IllegalArgumentException("an end of \"" + key + "\" that is not PID/DESCRIPTOR");
            }
            ends.add(new Descriptor.End(Integer.parseInt(text.substring(0, text.indexOf('/'))), Integer.parseInt(text.substring(text.indexOf('/') + 1))));
        }
        return ends.subList(0, Math.min(ends.size(), Descriptor.MAX_ENDS));
    }

    private static List<String> ends(List<Descriptor.End> ends) {
        return ends.stream().map(end -> Integer.toUnsignedString(end.pid()) + "/" + Integer.toUnsignedString(end.number())).toList();
    }

    private static <T> List<T> list(JsonObject json, String key, Function<JsonObject, T> reader) {
        return json.list(key).stream().map(reader).toList();
    }

    private static String hex(long number) {
        return "0x" + Long.toHexString(number);
    }

    private static void put(Map<String, Object> json, String key, Object value, Object usual) {
        if (!value.equals(usual)) {
            json.put(key, value);
        }
    }

    private static Map<String, Object> map(Object... entries) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < entries.length; i += 2) {
            // Longs only, as a parser makes them, so that what was written and read again is equal.
            map.put((String) entries[i], entries[i + 1] instanceof Integer number ? Long.valueOf(number) : entries[i + 1]);
        }
        return map;
    }
}
