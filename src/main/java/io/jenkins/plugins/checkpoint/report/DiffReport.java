// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

import io.jenkins.plugins.checkpoint.image.CheckpointDiff;
import io.jenkins.plugins.checkpoint.image.CheckpointDiff.Change;
import io.jenkins.plugins.checkpoint.image.CheckpointDiff.DescriptorDiff;
import io.jenkins.plugins.checkpoint.image.CheckpointDiff.MappingDiff;
import io.jenkins.plugins.checkpoint.image.CheckpointDiff.ProcessDiff;
import io.jenkins.plugins.checkpoint.image.Descriptor;
import io.jenkins.plugins.checkpoint.image.Mapping;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The difference between two checkpoints, as HTML, text and JSON. */
public final class DiffReport {
    private static final int PAGE = 4096;

    private final CheckpointDiff diff;

    /**
     * Makes a report.
     *
     * @param diff the difference
     */
    public DiffReport(CheckpointDiff diff) {
        this.diff = diff;
    }

    /**
     * A whole page, for itself.
     *
     * @param before what the earlier checkpoint is called
     * @param after what the later one is called
     * @return HTML
     */
    public String html(String before, String after) {
        ReportPage page = new ReportPage("From " + before + " to " + after, "");
        page.lead(figures());
        page.section("processes", "Processes", processes());
        page.section("changes", "What changed in each", changes());
        return page.html(diff.compared() ? "Memory was compared page by page." : "Contents of memory were not compared, only how much of it is stored.");
    }

    /**
     * The figures that say most.
     *
     * @return HTML
     */
    public String figures() {
        Html html = new Html().open("dl", "class", "cp-figures");
        figure(html, "Processes gone", count(Change.GONE));
        figure(html, "Processes new", count(Change.NEW));
        figure(html, "Processes changed", count(Change.CHANGED));
        if (diff.compared()) {
            long pages = diff.processes().stream().mapToLong(process -> Math.max(0, process.pages())).sum();
            figure(html, "Memory that differs", Units.size(pages * PAGE));
        }
        figure(html, "Descriptors opened", descriptors(Change.NEW));
        figure(html, "Descriptors closed", descriptors(Change.GONE));
        return html.close("dl").toString();
    }

    private static void figure(Html html, String name, Object value) {
        html.open("div").element("dt", name).element("dd", value.toString()).close("div");
    }

    private long count(Change change) {
        return diff.processes().stream().filter(process -> process.change() == change).count();
    }

    private long descriptors(Change change) {
        return diff.processes().stream().flatMap(process -> process.descriptors().stream()).filter(descriptor -> descriptor.change() == change).count();
    }

    /**
     * All processes, with what became of them.
     *
     * @return HTML
     */
    public String processes() {
        Html html = new Html();
        Table table = new Table(html, "Processes of both checkpoints").number("Pid").head("Name").head("").number("Stored before").number("Stored after");
        if (diff.compared()) {
            table.number("Differs");
        }
        table.body();
        for (ProcessDiff process : diff.processes()) {
            table.row().number(Integer.toString(process.pid())).cell(process.name()).cell(diff.compared() || process.change() != Change.SAME ? mark(process.change()) : new Html().element("span", "as large as before", "class", "cp-muted")).number(Units.size(process.storedBefore()))
                    .number(Units.size(process.storedAfter()));
            if (diff.compared()) {
                table.number(process.pages() < 0 ? "" : Units.size(process.pages() * PAGE));
            }
        }
        table.end();
        return html.toString();
    }

    private static Html mark(Change change) {
        return switch (change) {
            case GONE -> new Html().element("span", "− gone", "class", "cp-gone");
            case NEW -> new Html().element("span", "+ new", "class", "cp-new");
            case CHANGED -> new Html().text("changed");
            case SAME -> new Html().element("span", "the same", "class", "cp-muted");
        };
    }

    /**
     * Mappings and descriptors that changed, process by process.
     *
     * @return HTML
     */
    public String changes() {
        Html html = new Html();
        for (ProcessDiff process : diff.processes()) {
            if (process.mappings().isEmpty() && process.descriptors().isEmpty()) {
                continue;
            }
            html.open("details", "class", "cp-process", "open", "").open("summary").element("span", Integer.toString(process.pid()), "class", "cp-pid").text(" ")
                    .element("strong", process.name()).close("summary");
            if (!process.descriptors().isEmpty()) {
                Table table = new Table(html, "Descriptors of process " + process.pid() + " that changed").number("fd").head("").head("What").head("Name")
                        .head("How").body();
                process.descriptors().forEach(descriptor -> descriptor(table, descriptor));
                table.end();
            }
            if (!process.mappings().isEmpty()) {
                Table table = new Table(html, "Mappings of process " + process.pid() + " that changed").head("Address").head("").head("Kind").head("File or name")
                        .number("Size").number(diff.compared() ? "Pages that differ" : "Stored before, after").body();
                process.mappings().forEach(mapping -> mapping(table, mapping));
                table.end();
            }
            html.close("details");
        }
        return html.toString().isEmpty() ? new Html().element("p", diff.compared() ? "Nothing changed in processes that both have." : "No mapping or descriptor changed in processes that both have, as far as can be told without memory's contents.", "class", "cp-muted").toString() : html.toString();
    }

    private static void descriptor(Table table, DescriptorDiff diff) {
        Descriptor any = diff.after() == null ? diff.before() : diff.after();
        table.row().number(Integer.toString(any.number())).cell(descriptorMark(diff)).cell(any.what()).path(ReportSections.name(any)).cell(how(diff));
    }

    private static Html descriptorMark(DescriptorDiff diff) {
        return switch (diff.change()) {
            case GONE -> new Html().element("span", "− closed", "class", "cp-gone");
            case NEW -> new Html().element("span", "+ opened", "class", "cp-new");
            default -> new Html().text(diff.moved() ? "moved" : "replaced");
        };
    }

    private static String how(DescriptorDiff diff) {
        Descriptor a = diff.before();
        Descriptor b = diff.after();
        if (a == null || b == null) {
            return "";
        }
        List<String> how = new ArrayList<>();
        if (!a.what().equals(b.what()) || !ReportSections.name(a).equals(ReportSections.name(b))) {
            how.add("was " + a.what() + (ReportSections.name(a).isEmpty() ? "" : " " + ReportSections.name(a)));
        }
        if (a.position() != b.position()) {
            how.add(String.format("position %,d → %,d", a.position(), b.position()));
        }
        if (a.size() != b.size() && a.size() >= 0 && b.size() >= 0) {
            how.add(String.format("size %,d → %,d", a.size(), b.size()));
        }
        if (a.socket() != null && b.socket() != null && !a.socket().state().equals(b.socket().state())) {
            how.add(a.socket().state() + " → " + b.socket().state());
        }
        if (!a.detail().equals(b.detail())) {
            how.add((a.detail().isEmpty() ? "nothing" : a.detail()) + " → " + (b.detail().isEmpty() ? "nothing" : b.detail()));
        }
        if (!a.access().equals(b.access())) {
            how.add("access " + a.access() + " → " + b.access());
        }
        return String.join(", ", how);
    }

    private void mapping(Table table, MappingDiff diff) {
        Mapping any = diff.any();
        String size = diff.before() == null || diff.after() == null || diff.before().size() == diff.after().size() ? Units.size(any.size())
                : Units.size(diff.before().size()) + " → " + Units.size(diff.after().size());
        table.row().code(Long.toHexString(any.start())).cell(mark(diff.change())).cell(MemoryMap.swatch(any.kind()).text(" " + MemoryMap.label(any.kind())))
                .path(any.name()).number(size);
        table.number(this.diff.compared() ? diff.pages() < 0 ? "" : String.format("%,d", diff.pages()) + " of " + String.format("%,d", any.size() / PAGE)
                : (diff.before() == null ? "" : Units.size(diff.before().stored())) + " → " + (diff.after() == null ? "" : Units.size(diff.after().stored())));
    }

    /**
     * For a terminal, one line for each change.
     *
     * @return text, with control characters of foreign strings replaced
     */
    public String text() {
        StringBuilder out = new StringBuilder();
        for (ProcessDiff process : diff.processes()) {
            out.append(switch (process.change()) {
                case GONE -> "- ";
                case NEW -> "+ ";
                case CHANGED -> "~ ";
                case SAME -> "= ";
            }).append(process.pid()).append(' ').append(plain(process.name()));
            out.append(switch (process.change()) {
                case GONE -> ": gone";
                case NEW -> ": new";
                case SAME -> ": the same";
                case CHANGED -> process.pages() < 0 ? "" : ": " + Units.count(process.pages(), "page differs", "pages differ") + " (" + Units.size(process.pages() * PAGE) + ")";
            }).append('\n');
            for (DescriptorDiff descriptor : process.descriptors()) {
                Descriptor any = descriptor.after() == null ? descriptor.before() : descriptor.after();
                String what = switch (descriptor.change()) {
                    case GONE -> "closed";
                    case NEW -> "opened";
                    default -> how(descriptor);
                };
                out.append(String.format("    fd %-5d %s%s: %s%n", any.number(), plain(any.what()), ReportSections.name(any).isEmpty() ? "" : " "
                        + plain(ReportSections.name(any)), plain(what)));
            }
            for (MappingDiff mapping : process.mappings()) {
                Mapping any = mapping.any();
                List<String> what = new ArrayList<>();
                if (mapping.change() != Change.CHANGED) {
                    what.add(mapping.change() == Change.NEW ? "new" : "gone");
                } else {
                    if (mapping.pages() >= 0) {
                        what.add(mapping.pages() + " of " + any.size() / PAGE + " pages differ");
                    } else if (mapping.before().stored() != mapping.after().stored()) {
                        what.add("stored " + Units.size(mapping.before().stored()) + " → " + Units.size(mapping.after().stored()));
                    }
                    if (mapping.before().size() != mapping.after().size()) {
                        what.add("size " + Units.size(mapping.before().size()) + " → " + Units.size(mapping.after().size()));
                    }
                    if (!mapping.before().permissions().equals(mapping.after().permissions())) {
                        what.add("access " + mapping.before().permissions() + " → " + mapping.after().permissions());
                    }
                }
                out.append(String.format("    %12x %8s %s%s: %s%n", any.start(), Units.size(any.size()), MemoryMap.label(any.kind()),
                        any.name().isEmpty() ? "" : " " + plain(any.name()), plain(String.join(", ", what))));
            }
        }
        return out.toString();
    }

    private static String plain(String text) {
        return text.replaceAll("[\\p{Cntrl}\\p{Cf}]", "?");
    }

    /**
     * As JSON.
     *
     * @return an object
     */
    public Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("memoryCompared", diff.compared());
        json.put("processes", diff.processes().stream().map(this::json).toList());
        return json;
    }

    private Map<String, Object> json(ProcessDiff process) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("pid", process.pid());
        json.put("name", process.name());
        json.put("change", word(process.change()));
        json.put("storedBytesBefore", process.storedBefore());
        json.put("storedBytesAfter", process.storedAfter());
        if (process.pages() >= 0) {
            json.put("pagesDiffering", process.pages());
        }
        json.put("descriptors", process.descriptors().stream().map(descriptor -> {
            Descriptor any = descriptor.after() == null ? descriptor.before() : descriptor.after();
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("descriptor", any.number());
            entry.put("change", word(descriptor.change()));
            entry.put("what", any.what());
            entry.put("name", ReportSections.name(any));
            if (descriptor.before() != null && descriptor.after() != null) {
                entry.put("moved", descriptor.moved());
                entry.put("positionBefore", descriptor.before().position());
                entry.put("positionAfter", descriptor.after().position());
                entry.put("how", how(descriptor));
            }
            return entry;
        }).toList());
        json.put("mappings", process.mappings().stream().map(mapping -> {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("start", "0x" + Long.toHexString(mapping.any().start()));
            entry.put("end", "0x" + Long.toHexString(mapping.any().end()));
            entry.put("change", word(mapping.change()));
            entry.put("kind", mapping.any().kind().word());
            entry.put("name", mapping.any().name());
            entry.put("storedBytesBefore", mapping.before() == null ? 0 : mapping.before().stored());
            entry.put("storedBytesAfter", mapping.after() == null ? 0 : mapping.after().stored());
            if (mapping.pages() >= 0) {
                entry.put("pagesDiffering", mapping.pages());
            }
            return entry;
        }).toList());
        return json;
    }

    private static String word(Change change) {
        return change.name().toLowerCase(Locale.ROOT);
    }
}
