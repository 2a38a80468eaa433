// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

import java.util.List;
import java.util.Locale;

/** A value over builds, as bars that lead to the builds; without scripts. */
public final class TrendChart {
    private static final int HEIGHT = 80;
    private static final int BAR = 16;
    private static final int STEP = 20;

    /**
     * A build's value.
     *
     * @param name of the build
     * @param value not negative
     * @param text the value for people
     * @param url where the bar leads
     */
    public record Point(String name, long value, String text, String url) {}

    private TrendChart() {}

    /**
     * Draws it.
     *
     * @param title what the values are
     * @param points in the order of time
     * @return HTML; empty if there is nothing to draw
     */
    public static String html(String title, List<Point> points) {
        long most = points.stream().mapToLong(Point::value).max().orElse(0);
        if (most <= 0) {
            return "";
        }
        int width = Math.max(points.size() * STEP, 160);
        Point last = points.get(points.size() - 1);
        String greatest = points.stream().filter(point -> point.value() == most).findFirst().orElse(last).text();
        Html html = new Html().open("figure", "class", "cp-trend").open("figcaption").element("strong", title).text(" ")
                .element("span", last.text() + " in " + last.name() + ", at most " + greatest, "class", "cp-muted").close("figcaption");
        html.open("svg", "viewBox", "0 0 " + width + " " + HEIGHT, "width", Integer.toString(width), "height", Integer.toString(HEIGHT), "role", "group", "aria-label", title);
        for (int i = 0; i < points.size(); i++) {
            Point point = points.get(i);
            double height = Math.max(point.value() > 0 ? 2 : 0, (double) (HEIGHT - 2) * point.value() / most);
            html.open("a", "href", point.url(), "aria-label", point.name() + ": " + point.text()).element("title", point.name() + ": " + point.text());
            // All the column leads there, not only the bar.
            html.open("rect", "class", "cp-column", "fill", "transparent", "x", Integer.toString(i * STEP), "y", "0", "width", Integer.toString(STEP), "height",
                    Integer.toString(HEIGHT)).close("rect");
            html.open("rect", "class", "cp-accent", "fill", "#1d4ed8", "x", Integer.toString(i * STEP + (STEP - BAR) / 2), "y", String.format(Locale.ROOT, "%.1f", HEIGHT - height),
                    "width", Integer.toString(BAR), "height", String.format(Locale.ROOT, "%.1f", height), "rx", "2").close("rect");
            html.close("a");
        }
        return html.close("svg").close("figure").toString();
    }
}
