// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

import java.util.List;
import java.util.Locale;

/** Checkpoints in the time of their build, as a line with marks that lead to them; without scripts. */
public final class Timeline {
    private static final int WIDTH = 1000;
    private static final int EDGE = 12;

    /**
     * A checkpoint.
     *
     * @param time when it was made, in milliseconds since 1970
     * @param name what it is called
     * @param about what else there is to say
     * @param url where the mark leads
     */
    public record Mark(long time, String name, String about, String url) {}

    private Timeline() {}

    /**
     * Draws it.
     *
     * @param start of the build, in milliseconds since 1970
     * @param end of it, or now
     * @param marks checkpoints
     * @return HTML; empty if there are none
     */
    public static String html(long start, long end, List<Mark> marks) {
        if (marks.isEmpty()) {
            return "";
        }
        long last = Math.max(end, marks.stream().mapToLong(Mark::time).max().orElse(end));
        long length = Math.max(1, last - start);
        Html html = new Html().open("div", "class", "cp-timeline").open("svg", "viewBox", "0 0 " + WIDTH + " 40", "width", "100%", "role", "group", "aria-label",
                "Checkpoints in the " + Units.time(length * 1_000_000) + " of the build");
        html.open("line", "class", "cp-line-of-time", "stroke", "#94a3b8", "stroke-width", "2", "x1", Integer.toString(EDGE), "x2", Integer.toString(WIDTH - EDGE), "y1", "20",
                "y2", "20").close("line");
        for (Mark mark : marks) {
            double x = EDGE + (double) (WIDTH - 2 * EDGE) * Math.max(0, mark.time() - start) / length;
            String text = mark.name() + ", after " + Units.time(Math.max(0, mark.time() - start) * 1_000_000) + ": " + mark.about();
            html.open("a", "href", mark.url(), "aria-label", text).element("title", text).open("circle", "class", "cp-accent", "fill", "#1d4ed8", "cx",
                    String.format(Locale.ROOT, "%.1f", x), "cy", "20", "r", "8").close("circle").close("a");
        }
        html.close("svg").open("div", "class", "cp-ends cp-muted").element("span", "start").element("span", Units.time(length * 1_000_000)).close("div");
        return html.close("div").toString();
    }
}
