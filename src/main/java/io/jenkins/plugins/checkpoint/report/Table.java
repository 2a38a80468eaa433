// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

/** A table under construction: its columns, {@link #body}, then row by row. It scrolls by itself where it is wider than the page. */
final class Table {
    private final Html html;
    private boolean heads = true;
    private boolean inRow;

    /** Begins a table; the caption is for those who do not see it. */
    Table(Html html, String caption) {
        this.html = html;
        // What scrolls has to be reachable by keyboard.
        html.open("div", "class", "cp-scroll", "tabindex", "0", "role", "region", "aria-label", caption).open("table", "class", "cp-table")
                .element("caption", caption, "class", "cp-hidden").open("thead").open("tr");
    }

    /** A column of text. */
    Table head(String text) {
        html.element("th", text, "scope", "col");
        return this;
    }

    /** A column of numbers, or in the body a number. */
    Table number(String text) {
        if (heads) {
            html.element("th", text, "scope", "col", "class", "cp-number");
        } else {
            html.element("td", text, "class", "cp-number");
        }
        return this;
    }

    /** Ends the head. */
    Table body() {
        html.close("tr").close("thead").open("tbody");
        heads = false;
        return this;
    }

    /** Begins a row. */
    Table row() {
        return row(null);
    }

    /** Begins a row that links can lead to. */
    Table row(String id) {
        endRow();
        html.open("tr", "id", id);
        inRow = true;
        return this;
    }

    /** A cell of text. */
    Table cell(String text) {
        html.element("td", text);
        return this;
    }

    /** A cell of HTML. */
    Table cell(Html content) {
        html.open("td").add(content).close("td");
        return this;
    }

    /** A cell of something that has to be read letter by letter. */
    Table code(String text) {
        html.open("td").element("code", text).close("td");
        return this;
    }

    /** A cell of a long name, which may be broken anywhere. */
    Table path(String text) {
        html.open("td", "class", "cp-path").element("code", text).close("td");
        return this;
    }

    /** Ends the table. */
    void end() {
        endRow();
        html.close("tbody").close("table").close("div");
    }

    private void endRow() {
        if (inRow) {
            html.close("tr");
        }
        inRow = false;
    }
}
