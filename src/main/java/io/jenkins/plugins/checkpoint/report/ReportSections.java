// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.Descriptor;
import io.jenkins.plugins.checkpoint.image.Mapping;
import io.jenkins.plugins.checkpoint.image.MappingKind;
import io.jenkins.plugins.checkpoint.image.Task;
import io.jenkins.plugins.checkpoint.image.TaskTimer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The parts of a report on a checkpoint, as HTML that can stand in any page that has report.css: no scripts, no styles, no handlers. Every
 * string of the checkpoint is escaped.
 */
public final class ReportSections {
    // Deeper trees are drawn no further to the right; report.css has a rule for each.
    private static final int MAX_INDENT = 12;
    private static final int MAX_CONNECTIONS = 2000;
    // Of long lists the first are opened, of few all.
    private static final int OPEN = 3;

    private final Checkpoint checkpoint;
    private final Map<Integer, String> names = new HashMap<>();

    /**
     * Makes the sections of one.
     *
     * @param checkpoint a summary: what it holds is drawn, all of it
     */
    public ReportSections(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
        checkpoint.tasks().forEach(task -> names.put(task.pid(), task.name()));
    }

    /**
     * The figures that say most, as a row of tiles.
     *
     * @param bytes of the images directory; negative if unknown
     * @param archived bytes of the archive; negative if unknown
     * @return HTML
     */
    public String figures(long bytes, long archived) {
        Checkpoint.Totals totals = checkpoint.totals();
        Html html = new Html().open("dl", "class", "cp-figures");
        checkpoint.stats().ifPresent(stats -> figure(html, "Frozen for", Units.micros(stats.frozen())));
        figure(html, "Memory stored", Units.size(totals.stored()));
        if (totals.inParent() > 0) {
            figure(html, "In earlier dumps", Units.size(totals.inParent()));
        }
        figure(html, "Address space", Units.size(totals.mapped()));
        figure(html, totals.processes() == 1 ? "Process" : "Processes", String.valueOf(totals.processes()));
        figure(html, totals.threads() == 1 ? "Thread" : "Threads", String.valueOf(totals.threads()));
        figure(html, "Descriptors", String.valueOf(totals.descriptors()));
        if (bytes >= 0) {
            figure(html, "Images", Units.size(bytes));
        }
        if (archived >= 0) {
            figure(html, "Archive", Units.size(archived));
        }
        return html.close("dl").toString();
    }

    private static void figure(Html html, String name, String value) {
        html.open("div").element("dt", name).element("dd", value).close("div");
    }

    /**
     * The process tree with command lines.
     *
     * @return HTML
     */
    public String processes() {
        Html html = new Html().open("ul", "class", "cp-tree");
        Map<Integer, Integer> depths = new HashMap<>();
        for (Task task : checkpoint.tasks()) {
            int depth = Math.min(depths.getOrDefault(task.parent(), -1) + 1, MAX_INDENT);
            depths.put(task.pid(), depth);
            html.open("li", "class", "cp-depth-" + depth);
            html.open("div", "class", "cp-line").element("a", Integer.toString(task.pid()), "class", "cp-pid", "href", "#process-" + task.pid(), "aria-label", "Process "
                    + task.pid() + ": details").text(" ").element("strong", task.name());
            if (!task.state().equals("alive")) {
                html.text(" ").element("span", task.state(), "class", "cp-chip");
            }
            if (depth > 0) {
                html.element("span", " child of " + task.parent(), "class", "cp-hidden");
            }
            html.close("div");
            if (!task.arguments().isEmpty()) {
                html.element("code", command(task), "class", "cp-command");
            }
            html.element("div", facts(task), "class", "cp-muted");
            html.close("li");
        }
        html.close("ul");
        int left = checkpoint.totals().processes() - checkpoint.tasks().size();
        if (left > 0) {
            html.element("p", "and " + Units.count(left, "process more, which is", "processes more, which are") + " not listed", "class", "cp-muted");
        }
        return html.toString();
    }

    /** Arguments as a shell would take them. */
    static String command(Task task) {
        StringBuilder line = new StringBuilder();
        for (String argument : task.arguments()) {
            line.append(line.length() == 0 ? "" : " ");
            line.append(argument.matches("[\\w@%+=:,./*-]+") ? argument : "'" + argument.replace("'", "'\\''") + "'");
        }
        return line.toString();
    }

    private static String facts(Task task) {
        List<String> facts = new ArrayList<>();
        if (task.memory().mappings() > 0) {
            facts.add("user " + task.credentials().uid() + (task.credentials().euid() == task.credentials().uid() ? "" : " as " + task.credentials().euid()));
            facts.add(Units.size(task.memory().stored()) + " stored of " + Units.size(task.memory().mapped()));
            facts.add(Units.count(task.descriptors().size() + task.omitted().descriptors(), "descriptor", "descriptors"));
        }
        facts.add(Units.count(task.threads().size() + task.omitted().threads(), "thread", "threads"));
        return String.join(" · ", facts);
    }

    /**
     * Memory, process by process: a picture, sums by kind, and every mapping in a table.
     *
     * @return HTML
     */
    public String memory() {
        Html html = new Html();
        legend(html);
        int opened = 0;
        for (Task task : checkpoint.tasks()) {
            if (task.memory().mappings() == 0) {
                continue;
            }
            open(html, task, opened++ < OPEN, Units.size(task.memory().stored()) + " stored of " + Units.size(task.memory().mapped()), "memory-");
            html.add(new MemoryMap(task).html());
            kinds(html, task);
            mappings(html, task);
            html.close("details");
        }
        return html.toString();
    }

    private static void open(Html html, Task task, boolean opened, String facts, String id) {
        html.open("details", "class", "cp-process", "id", id + task.pid(), "open", opened ? "" : null);
        html.open("summary").element("span", Integer.toString(task.pid()), "class", "cp-pid").text(" ").element("strong", task.name()).text(" ")
                .element("span", facts, "class", "cp-muted").close("summary");
    }

    private void legend(Html html) {
        Set<MappingKind> used = new HashSet<>();
        checkpoint.tasks().forEach(task -> task.mappings().forEach(mapping -> used.add(mapping.kind())));
        html.open("ul", "class", "cp-legend", "aria-label", "Colours of the memory maps");
        for (MappingKind kind : MappingKind.values()) {
            if (used.contains(kind)) {
                html.open("li").add(MemoryMap.swatch(kind)).text(" " + MemoryMap.label(kind)).close("li");
            }
        }
        html.close("ul");
    }

    private static void kinds(Html html, Task task) {
        Map<MappingKind, long[]> sums = new EnumMap<>(MappingKind.class);
        for (Mapping mapping : task.mappings()) {
            long[] sum = sums.computeIfAbsent(mapping.kind(), kind -> new long[4]);
            sum[0]++;
            sum[1] += mapping.size();
            sum[2] += mapping.stored();
            sum[3] += mapping.inParent();
        }
        boolean parents = sums.values().stream().anyMatch(sum -> sum[3] > 0);
        Table table = new Table(html, "Memory of process " + task.pid() + " by kind").head("Kind").number("Mappings").number("Size").number("Stored");
        if (parents) {
            table.number("In earlier dumps");
        }
        table.body();
        sums.forEach((kind, sum) -> {
            table.row().cell(MemoryMap.swatch(kind).text(" " + MemoryMap.label(kind))).number(String.valueOf(sum[0])).number(Units.size(sum[1]))
                    .number(Units.size(sum[2]));
            if (parents) {
                table.number(Units.size(sum[3]));
            }
        });
        if (task.omitted().mappings() > 0) {
            table.row().cell("not listed").number(String.valueOf(task.omitted().mappings())).number(Units.size(task.omitted().mapped()))
                    .number(Units.size(task.omitted().stored()));
        }
        table.end();
    }

    private static void mappings(Html html, Task task) {
        html.open("details", "class", "cp-more").element("summary", "All mappings" + (task.omitted().mappings() == 0 ? ""
                : " but " + Units.count(task.omitted().mappings(), "small one", "small ones")));
        Table table = new Table(html, "Mappings of process " + task.pid()).head("Address").number("Size").number("Stored").head("Access").head("Kind")
                .head("File or name").body();
        for (Mapping mapping : task.mappings()) {
            table.row().code(Long.toHexString(mapping.start())).number(Units.size(mapping.size()));
            table.number(mapping.stored() == 0 && mapping.inParent() > 0 ? Units.size(mapping.inParent()) + " earlier" : Units.size(mapping.stored()));
            table.code(mapping.permissions()).cell(MemoryMap.swatch(mapping.kind()).text(" " + MemoryMap.label(mapping.kind())));
            String name = mapping.name() + (mapping.flags().isEmpty() ? "" : " (" + String.join(", ", mapping.flags()) + ")");
            table.path(name + (mapping.offset() > 0 && !mapping.name().isEmpty() ? " +" + Units.size(mapping.offset()) : ""));
        }
        table.end();
        html.close("details");
    }

    /**
     * Descriptors, process by process, with where their other ends are; then threads and timers.
     *
     * @return HTML
     */
    public String descriptors() {
        Html html = new Html();
        int opened = 0;
        for (Task task : checkpoint.tasks()) {
            if (task.memory().mappings() == 0 && task.descriptors().isEmpty()) {
                continue;
            }
            open(html, task, opened++ < OPEN, facts(task), "process-");
            if (!task.directory().isEmpty()) {
                html.open("p").text("Works in ").element("code", task.directory()).text(task.program().isEmpty() ? "" : ", runs ").element("code", task.program())
                        .text(", group " + task.group() + ", session " + task.session()
                                + (task.credentials().seccomp().equals("off") ? "" : ", seccomp " + task.credentials().seccomp()))
                        .close("p");
            }
            descriptors(html, task);
            threads(html, task);
            html.close("details");
        }
        return html.toString();
    }

    private void descriptors(Html html, Task task) {
        Table table = new Table(html, "Descriptors of process " + task.pid()).number("fd").head("What").head("Name").head("State").head("Other end").head("Shared with")
                .body();
        for (Descriptor descriptor : task.descriptors()) {
            table.row("fd-" + task.pid() + "-" + descriptor.number()).number(Integer.toString(descriptor.number()))
                    .cell(descriptor.what() + (descriptor.access().isEmpty() ? "" : ", " + descriptor.access()));
            table.path(name(descriptor)).cell(state(descriptor));
            table.cell(descriptor.peers().isEmpty() && descriptor.kind().equals("pipe") ? new Html().text("outside the tree") : ends(descriptor.peers()))
                    .cell(ends(descriptor.sharers()));
        }
        table.end();
        if (task.omitted().descriptors() > 0) {
            html.element("p", "and " + Units.count(task.omitted().descriptors(), "descriptor", "descriptors") + " more", "class", "cp-muted");
        }
    }

    static String name(Descriptor descriptor) {
        if (descriptor.socket() == null) {
            return descriptor.name();
        }
        String local = descriptor.name().isEmpty() ? descriptor.socket().local() : descriptor.name();
        return descriptor.socket().remote().isEmpty() ? local : (local.isEmpty() ? "" : local + " ") + "→ " + descriptor.socket().remote();
    }

    private static String state(Descriptor descriptor) {
        List<String> parts = new ArrayList<>();
        if (descriptor.socket() != null) {
            parts.add(descriptor.socket().state());
        }
        if (descriptor.size() >= 0) {
            parts.add("at " + String.format("%,d", descriptor.position()) + " of " + String.format("%,d", descriptor.size()) + " bytes");
        } else if (descriptor.position() != 0) {
            parts.add("at " + String.format("%,d", descriptor.position()));
        }
        if (!descriptor.detail().isEmpty()) {
            parts.add(descriptor.detail());
        }
        return String.join(", ", parts);
    }

    private Html ends(List<Descriptor.End> ends) {
        Html html = new Html();
        for (int i = 0; i < ends.size(); i++) {
            Descriptor.End end = ends.get(i);
            html.text(i == 0 ? "" : ", ");
            String text = end.pid() + " fd " + end.number();
            if (names.containsKey(end.pid())) {
                html.element("a", text, "href", "#fd-" + end.pid() + "-" + end.number(), "title", names.get(end.pid()));
            } else {
                html.text(text);
            }
        }
        return ends.size() == Descriptor.MAX_ENDS ? html.text(", ...") : html;
    }

    private static void threads(Html html, Task task) {
        if (task.threads().size() > 1) {
            html.open("details", "class", "cp-more").element("summary", Units.count(task.threads().size() + task.omitted().threads(), "thread", "threads"));
            html.open("ul", "class", "cp-threads");
            task.threads().forEach(thread -> html.open("li").element("span", Integer.toString(thread.id()), "class", "cp-pid").text(" " + thread.name()).close("li"));
            html.close("ul").close("details");
        }
        for (TaskTimer timer : task.timers()) {
            html.open("p").text("Timer, " + timer.clock() + (timer.remaining() == 0 ? ", not armed" : ", fires in " + Units.micros(timer.remaining()))
                    + (timer.interval() == 0 ? "" : ", then every " + Units.micros(timer.interval()))).close("p");
        }
    }

    /**
     * Pipes, connections and terminals that join two ends within the tree, each once, and sockets that wait for connections.
     *
     * @return HTML
     */
    public String connections() {
        Table table = null;
        Html html = new Html();
        Set<String> seen = new HashSet<>();
        int left = 0;
        for (Task task : checkpoint.tasks()) {
            for (Descriptor descriptor : task.descriptors()) {
                boolean listens = descriptor.socket() != null && descriptor.socket().state().equals("LISTEN");
                if (descriptor.peers().isEmpty() && !listens || !seen.add(key(task, descriptor))) {
                    continue;
                }
                // The other end's row would say the same.
                descriptor.peers().forEach(end -> seen.add(key(end)));
                if (seen.size() > MAX_CONNECTIONS) {
                    left++;
                    continue;
                }
                if (table == null) {
                    table = new Table(html, "Connections within the tree").head("One end").head("What").head("Address").head("Other end").body();
                }
                List<Descriptor.End> holders = new ArrayList<>(List.of(new Descriptor.End(task.pid(), descriptor.number())));
                descriptor.sharers().forEach(end -> seen.add(key(end)));
                holders.addAll(descriptor.sharers().stream().limit(3).toList());
                table.row().cell(ends(holders)).cell(descriptor.what()).path(name(descriptor)).cell(listens ? new Html().text("waits for connections")
                        : ends(descriptor.peers()));
            }
        }
        if (table == null) {
            return html.element("p", "No pipes, connections or terminals within the tree.", "class", "cp-muted").toString();
        }
        table.end();
        if (left > 0) {
            html.element("p", "and more, which the descriptors below show", "class", "cp-muted");
        }
        return html.toString();
    }

    private static String key(Task task, Descriptor descriptor) {
        return task.pid() + "/" + descriptor.number();
    }

    private static String key(Descriptor.End end) {
        return end.pid() + "/" + end.number();
    }

    /**
     * What a restore needs.
     *
     * @param host sentences on kernel and CPU; none if unknown
     * @return HTML
     */
    public String needs(List<String> host) {
        Html html = new Html();
        if (!checkpoint.needs().options().isEmpty()) {
            html.element("h4", "Options");
            Table table = new Table(html, "Options of the restore").head("Option").head("Why").body();
            checkpoint.needs().options().forEach(option -> table.row().code(option.option()).cell(option.reason()));
            table.end();
        }
        html.element("h4", "Circumstances").open("ul");
        checkpoint.needs().privileges().forEach(line -> html.element("li", line));
        host.forEach(line -> html.element("li", line));
        html.close("ul");
        Map<String, List<String[]>> uses = new TreeMap<>();
        checkpoint.needs().files().forEach(file -> uses.computeIfAbsent(file.use(), use -> new ArrayList<>())
                .add(new String[] {file.path(), file.size() < 0 ? "" : Units.size(file.size())}));
        int files = checkpoint.needs().files().size() + checkpoint.needs().omittedFiles();
        if (files > 0) {
            html.open("details", "class", "cp-more").element("summary", Units.count(files, "file", "files") + " that have to be there, unchanged where a size is given");
            Table table = new Table(html, "Files that a restore needs").head("Use").head("Path").number("Size").body();
            checkpoint.needs().files().forEach(file -> table.row().cell(file.use()).path(file.path()).number(file.size() < 0 ? "" : Units.size(file.size())));
            table.end();
            html.close("details");
        }
        return html.toString();
    }

    /**
     * How long the dump took, as bars.
     *
     * @return HTML; empty if the images do not tell
     */
    public String timings() {
        if (checkpoint.stats().isEmpty()) {
            return "";
        }
        Checkpoint.DumpStats stats = checkpoint.stats().get();
        Html html = new Html();
        long longest = Math.max(1, Math.max(Math.max(stats.frozen(), stats.memoryWrite()), Math.max(stats.memoryDump(), stats.freezing())));
        Table table = new Table(html, "Times of the dump").head("Part").number("Time").head("").body();
        bar(table, "Stopping all threads", stats.freezing(), longest);
        bar(table, "Frozen, in all", stats.frozen(), longest);
        bar(table, "Taking memory", stats.memoryDump(), longest);
        bar(table, "Writing memory", stats.memoryWrite(), longest);
        table.end();
        html.element("p", Units.count(stats.pagesScanned(), "page", "pages") + " looked at, " + Units.count(stats.pagesWritten(), "page", "pages") + " written", "class",
                "cp-muted");
        return html.toString();
    }

    private static void bar(Table table, String name, long micros, long longest) {
        Html bar = new Html().open("svg", "class", "cp-bar", "viewBox", "0 0 100 10", "width", "100%", "height", "10", "preserveAspectRatio", "none", "aria-hidden", "true")
                .open("rect", "class", "cp-accent", "fill", "#1d4ed8", "width", Long.toString(Math.max(micros > 0 ? 1 : 0, Math.round(100.0 * micros / longest))), "height",
                        "10").close("rect").close("svg");
        table.row().cell(name).number(Units.micros(micros)).cell(bar);
    }
}
