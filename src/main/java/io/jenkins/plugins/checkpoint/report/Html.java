// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

/**
 * HTML under construction. All text and all attribute values go through {@link #escape}; tags and attribute names are constants of the
 * program. No style attributes, scripts or event handlers: a strict Content-Security-Policy blocks them.
 */
final class Html {
    private final StringBuilder out = new StringBuilder();

    /**
     * Makes text safe in HTML, in elements and quoted attributes.
     *
     * @param text of any origin
     * @return the text, with its special characters escaped, and those that control a terminal or the direction of writing replaced
     */
    static String escape(String text) {
        StringBuilder safe = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                case '\'' -> safe.append("&#39;");
                case '\n', '\t' -> safe.append((char) c);
                default -> {
                    int type = Character.getType(c);
                    boolean strange = type == Character.CONTROL || type == Character.FORMAT || type == Character.SURROGATE || type == Character.UNASSIGNED
                            || type == Character.LINE_SEPARATOR || type == Character.PARAGRAPH_SEPARATOR;
                    safe.appendCodePoint(strange ? 0xfffd : c);
                }
            }
        });
        return safe.toString();
    }

    /** Begins an element; attributes are name, value, name, value, ...; those with a null value are left out. */
    Html open(String tag, String... attributes) {
        out.append('<').append(tag);
        for (int i = 0; i < attributes.length; i += 2) {
            if (attributes[i + 1] != null) {
                out.append(' ').append(attributes[i]).append("=\"").append(escape(attributes[i + 1])).append('"');
            }
        }
        out.append('>');
        return this;
    }

    /** Ends an element. */
    Html close(String tag) {
        out.append("</").append(tag).append('>');
        // Short lines, for those who look at the source; where white space means nothing.
        if (tag.equals("section") || tag.equals("tr") || tag.equals("li") || tag.equals("g") || tag.equals("details") || tag.equals("table")) {
            out.append('\n');
        }
        return this;
    }

    /** A whole element with text in it. */
    Html element(String tag, String text, String... attributes) {
        return open(tag, attributes).text(text).close(tag);
    }

    /** Text. */
    Html text(String text) {
        out.append(escape(text));
        return this;
    }

    /** HTML that this class made. */
    Html add(Html other) {
        out.append(other.out);
        return this;
    }

    /** HTML that is a constant of the program. */
    Html constant(String html) {
        out.append(html);
        return this;
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
