// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** The frame of a report: one HTML file with its style sheet inside, allowed by its hash, and nothing else allowed. */
final class ReportPage {
    /** A part of the page, which the navigation leads to. */
    private record Section(String id, String title, String html) {}

    private final String title;
    private final String about;
    private final List<Section> sections = new ArrayList<>();
    private String lead = "";

    ReportPage(String title, String about) {
        this.title = title;
        this.about = about;
    }

    /** What stands under the title: HTML of this package's making. */
    void lead(String html) {
        lead = html;
    }

    /** Adds a section, if there is anything in it: HTML of this package's making. */
    void section(String id, String heading, String html) {
        if (!html.isEmpty()) {
            sections.add(new Section(id, heading, html));
        }
    }

    /** The whole file. */
    String html(String footer) {
        String css = resource("report-theme.css") + resource("report.css") + resource("report-page.css");
        Html html = new Html();
        html.constant("<!DOCTYPE html>\n").open("html", "lang", "en").open("head").constant("<meta charset=\"utf-8\">\n");
        html.open("meta", "http-equiv", "Content-Security-Policy", "content", "default-src 'none'; style-src 'sha256-" + hash(css) + "'; base-uri 'none'; form-action 'none'");
        html.open("meta", "name", "viewport", "content", "width=device-width, initial-scale=1").open("meta", "name", "color-scheme", "content", "light dark");
        html.element("title", title);
        html.constant("\n<style>").constant(css).constant("</style>\n").close("head").open("body");
        html.element("a", "Skip to the content", "class", "cp-skip", "href", "#content");
        html.open("header", "class", "cp-header").element("h1", title);
        if (!about.isEmpty()) {
            html.element("p", about, "class", "cp-muted");
        }
        html.open("nav", "aria-label", "Sections").open("ul", "class", "cp-nav");
        sections.forEach(section -> html.open("li").element("a", section.title(), "href", "#" + section.id()).close("li"));
        html.close("ul").close("nav").close("header").open("main", "id", "content", "class", "cp-report");
        html.constant(lead);
        for (Section section : sections) {
            html.open("section", "id", section.id(), "class", "cp-section").element("h2", section.title()).constant(section.html()).close("section");
        }
        html.close("main").open("footer", "class", "cp-footer cp-muted").element("p", footer).close("footer").close("body").close("html");
        return html + "\n";
    }

    private static String hash(String text) {
        try {
            return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String resource(String name) {
        try (InputStream in = ReportPage.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing from the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
