// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

import io.jenkins.plugins.checkpoint.image.Mapping;
import io.jenkins.plugins.checkpoint.image.MappingKind;
import io.jenkins.plugins.checkpoint.image.Task;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;

/**
 * An address space as a picture: its mappings in the order of their addresses, row by row, areas to scale, the colour telling the kind, and
 * how full it is telling how much of it the checkpoint holds.
 */
final class MemoryMap {
    // Units of the picture: it is stretched to the width there is.
    private static final int WIDTH = 1000;
    private static final int ROW = 20;
    private static final int GAP = 4;
    // What is thinner would not be seen.
    private static final double THINNEST = 0.8;
    private static final int MAX_ROWS = 16;

    private static final String STORED = "1";
    private static final String IN_PARENT = ".55";
    private static final String ABSENT = ".25";

    // For where style sheets are blocked; report-theme.css says the same, and for dark themes.
    private static final Map<MappingKind, String> COLOURS = Map.of(MappingKind.CODE, "#1d4ed8", MappingKind.FILE, "#0e7490", MappingKind.SHARED_FILE, "#4d7c0f",
            MappingKind.HEAP, "#a16207", MappingKind.STACK, "#7e22ce", MappingKind.ANONYMOUS, "#c2410c", MappingKind.RESERVED, "#94a3b8", MappingKind.SHARED,
            "#15803d", MappingKind.KERNEL, "#64748b");

    private static final Map<MappingKind, String> LABELS = Map.of(MappingKind.CODE, "program code", MappingKind.FILE, "private file data",
            MappingKind.SHARED_FILE, "shared file", MappingKind.HEAP, "heap", MappingKind.STACK, "stack", MappingKind.ANONYMOUS, "anonymous", MappingKind.RESERVED,
            "reserved, no access", MappingKind.SHARED, "shared memory", MappingKind.KERNEL, "kernel (vDSO, rings)");

    private final Task task;

    MemoryMap(Task task) {
        this.task = task;
    }

    /** A kind in plain words. */
    static String label(MappingKind kind) {
        return LABELS.get(kind);
    }

    /** A small square in a kind's colour. */
    static Html swatch(MappingKind kind) {
        return new Html().open("svg", "class", "cp-swatch", "viewBox", "0 0 10 10", "width", "12", "height", "12", "aria-hidden", "true")
                .open("rect", "class", "cp-k-" + kind.word(), "fill", COLOURS.get(kind), "width", "10", "height", "10").close("rect").close("svg");
    }

    /** Both pictures: what the checkpoint holds, and the address space that it comes from. */
    Html html() {
        Html html = new Html();
        List<Mapping> held = task.mappings().stream().filter(mapping -> mapping.stored() + mapping.inParent() > 0).toList();
        if (!held.isEmpty()) {
            html.element("h4", "Held by the checkpoint");
            picture(html, held, mapping -> mapping.stored() + mapping.inParent(), "what the checkpoint holds of its memory");
        }
        List<Mapping> mapped = task.mappings().stream().filter(mapping -> mapping.kind() != MappingKind.RESERVED).toList();
        if (!mapped.isEmpty()) {
            html.element("h4", "Address space");
            picture(html, mapped, Mapping::size, "its address space");
            long reserved = task.mappings().stream().filter(mapping -> mapping.kind() == MappingKind.RESERVED).mapToLong(Mapping::size).sum();
            html.open("p", "class", "cp-muted").text("Full colour: stored. Half: in an earlier dump. Pale: not stored, since it was never touched, is zero, or is as in its file."
                    + (reserved > 0 ? " Not drawn: " + Units.size(reserved) + " of reserved address space." : "")).close("p");
        }
        return html;
    }

    private void picture(Html html, List<Mapping> mappings, ToLongFunction<Mapping> size, String what) {
        long total = mappings.stream().mapToLong(size).sum();
        int rows = rows(total, mappings.size());
        double thinnest = Math.min(THINNEST, rows * WIDTH / 2.0 / mappings.size());
        int height = rows * (ROW + GAP) - GAP;
        html.open("svg", "class", "cp-map cp-rows-" + rows, "viewBox", "0 0 " + WIDTH + " " + height, "width", "100%", "height", Integer.toString(height),
                "preserveAspectRatio", "none", "role", "img", "aria-label", "Map of process " + task.pid() + ", " + what + ": " + summary(mappings, size));
        Pen pen = new Pen(html, (rows * WIDTH - mappings.size() * thinnest) / Math.max(1, total), thinnest);
        for (Mapping mapping : mappings) {
            html.open("g", "class", "cp-k-" + mapping.kind().word(), "fill", COLOURS.get(mapping.kind()));
            html.element("title", title(mapping));
            long bytes = size.applyAsLong(mapping);
            pen.begin(mapping.stored() > 0 ? STORED : mapping.inParent() > 0 ? IN_PARENT : ABSENT);
            pen.draw(mapping.stored(), STORED);
            pen.draw(mapping.inParent(), IN_PARENT);
            pen.draw(Math.max(0, bytes - mapping.stored() - mapping.inParent()), ABSENT);
            html.close("g");
        }
        html.close("svg");
    }

    // One row for small processes, more for large ones: the smallest mappings must still be seen.
    private static int rows(long total, int mappings) {
        int rows = total < 4L << 20 ? 1 : total < 64L << 20 ? 2 : total < 512L << 20 ? 4 : 8;
        return Math.max(rows, Math.min(MAX_ROWS, (int) (mappings * THINNEST * 2 / WIDTH)));
    }

    /** Lays bytes out along the rows. */
    private static final class Pen {
        private final Html html;
        private final double scale;
        private final double thinnest;
        private double at;

        Pen(Html html, double scale, double thinnest) {
            this.html = html;
            this.scale = scale;
            this.thinnest = thinnest;
        }

        void draw(long bytes, String opacity) {
            lay(bytes * scale, opacity);
        }

        /** The least that a mapping gets, in the strength of its fullest part. */
        void begin(String opacity) {
            lay(thinnest, opacity);
        }

        private void lay(double length, String opacity) {
            double left = length;
            while (left > 0.001) {
                int row = (int) (at / WIDTH);
                double x = at - (double) row * WIDTH;
                double part = Math.min(left, WIDTH - x);
                if (part <= 0) {
                    return;
                }
                html.open("rect", "x", number(x), "y", Integer.toString(row * (ROW + GAP)), "width", number(part), "height", Integer.toString(ROW), "fill-opacity",
                        opacity).close("rect");
                at += part;
                left -= part;
            }
        }

        private static String number(double value) {
            return String.format(Locale.ROOT, "%.2f", value);
        }
    }

    private static String title(Mapping mapping) {
        return String.format(Locale.ROOT, "%s %s%s\n0x%x to 0x%x, %s, %s stored%s", label(mapping.kind()), mapping.permissions(),
                mapping.name().isEmpty() ? "" : ", " + mapping.name(), mapping.start(), mapping.end(), Units.size(mapping.size()), Units.size(mapping.stored()),
                mapping.inParent() == 0 ? "" : ", " + Units.size(mapping.inParent()) + " in an earlier dump");
    }

    private static String summary(List<Mapping> mappings, ToLongFunction<Mapping> size) {
        StringBuilder text = new StringBuilder();
        for (MappingKind kind : MappingKind.values()) {
            long sum = mappings.stream().filter(mapping -> mapping.kind() == kind).mapToLong(size).sum();
            if (sum > 0) {
                text.append(text.length() == 0 ? "" : ", ").append(label(kind)).append(' ').append(Units.size(sum));
            }
        }
        return text.toString();
    }
}
