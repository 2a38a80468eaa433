// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every page of the plugin is well formed, escapes what it shows, and has nothing that a strict Content-Security-Policy blocks. */
class JellyTest {
    private static final Path RESOURCES = Path.of("src/main/resources");
    // What goes to the page as HTML: made by report/, which escapes every foreign string.
    private static final Pattern RAW = Pattern.compile("<j:out value=\"\\$\\{([^}]*)\\}\"");

    static List<Path> pages() throws IOException {
        try (Stream<Path> files = Files.walk(RESOURCES)) {
            return files.filter(file -> file.toString().endsWith(".jelly")).sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("pages")
    void isSafe(Path page) throws Exception {
        String text = Files.readString(page);
        assertThat(text).startsWith("<?jelly escape-by-default='true'?>");
        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(page.toFile());
        assertThat(text).as("inline scripts, handlers and styles").doesNotContain("<script", "javascript:").doesNotContainPattern("\\s(style|on[a-z]+)=\"");
        Set<String> raw = new TreeSet<>();
        Matcher matcher = RAW.matcher(text);
        while (matcher.find()) {
            raw.add(matcher.group(1));
        }
        assertThat(raw).allMatch(expression -> expression.matches("it\\.[a-zA-Z]+Html"));
    }
}
