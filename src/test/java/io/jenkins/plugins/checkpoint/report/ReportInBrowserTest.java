// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.CheckpointDiff;
import io.jenkins.plugins.checkpoint.image.Credentials;
import io.jenkins.plugins.checkpoint.image.Descriptor;
import io.jenkins.plugins.checkpoint.image.Mapping;
import io.jenkins.plugins.checkpoint.image.MappingKind;
import io.jenkins.plugins.checkpoint.image.Needs;
import io.jenkins.plugins.checkpoint.image.Task;
import io.jenkins.plugins.checkpoint.image.TaskThread;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reports in a real browser, at the widths of phones and desktops, light and dark. */
class ReportInBrowserTest {
    private static final String TAB = "\ue004";
    private static final String ENTER = "\ue007";
    private static final int[] WIDTHS = {320, 390, 768, 1280, 1920};

    // Contrast by WCAG 2: of every text with the first background behind it that is not transparent.
    private static final String POOR_CONTRAST = """
            function rgb(c) { return c.match(/[\\d.]+/g).map(Number); }
            function lum(c) { return c.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : Math.pow((v + .055) / 1.055, 2.4))
                .reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0); }
            function ratio(a, b) { const x = lum(a), y = lum(b); return (Math.max(x, y) + .05) / (Math.min(x, y) + .05); }
            function back(e) { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; }
            const poor = [];
            for (const e of document.querySelectorAll('body *')) {
                if (e.closest('svg') || ![...e.childNodes].some(n => n.nodeType === 3 && n.nodeValue.trim())) continue;
                const r = ratio(rgb(getComputedStyle(e).color), back(e));
                if (r < 4.5) poor.push(e.tagName + '.' + e.className + ' ' + r.toFixed(1));
            }
            for (const e of document.querySelectorAll('.cp-swatch rect')) {
                const r = ratio(rgb(getComputedStyle(e).fill), back(e.closest('li, td')));
                if (r < 3) poor.push(e.getAttribute('class') + ' ' + r.toFixed(1));
            }
            return poor;
            """;

    @TempDir
    private static Path scratch;
    private static Browser browser;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        browser = Browser.startOrSkip(scratch);
    }

    @AfterAll
    static void stop() throws IOException {
        if (browser != null) {
            browser.close();
        }
    }

    /** All kinds of mappings, long names, many descriptors, deep trees. */
    private static Checkpoint large() {
        List<Task> tasks = new ArrayList<>();
        for (int pid = 1; pid <= 30; pid++) {
            List<Mapping> mappings = new ArrayList<>();
            for (MappingKind kind : MappingKind.values()) {
                long start = 0x1000000L * (kind.ordinal() + 1);
                mappings.add(new Mapping(start, start + 0x100000L * (pid + kind.ordinal()), kind, "rw-p", "/usr/lib/" + "a-very-long-name-without-a-break".repeat(8), 4096,
                        0x10000, 0x20000, 0, List.of("locked")));
            }
            List<Descriptor> descriptors = new ArrayList<>();
            for (int fd = 0; fd < 20; fd++) {
                List<Descriptor.End> peer = fd == 0 ? List.of(new Descriptor.End(pid, 1)) : fd == 1 ? List.of(new Descriptor.End(pid, 0)) : List.of();
                descriptors.add(new Descriptor(fd, fd < 2 ? "pipe" : "reg", fd < 2 ? "pipe" : "file", "/srv/" + "path/".repeat(30) + fd, "rw", false, 1L << 40, 1L << 41, null,
                        "", fd, peer, List.of(new Descriptor.End(pid == 1 ? 2 : 1, fd))));
            }
            tasks.add(new Task(pid, pid - 1, 1, 1, List.of(new TaskThread(pid, "main"), new TaskThread(pid + 100, "worker")), pid == 30 ? "stopped" : "alive", "soak", "/bin/soak",
                    List.of("soak", "--flag=" + "x".repeat(400), "two words"), "/srv", Credentials.NONE, new Task.Memory(mappings.size(), 1 << 30, 1 << 20, 1 << 19),
                    mappings, descriptors, List.of(), Task.Omitted.NONE));
        }
        return new Checkpoint(2, 1, new Checkpoint.Totals(30, 60, 270, 600, 30L << 30, 30L << 20, 1), tasks,
                Optional.of(new Checkpoint.DumpStats(1000, 70000, 50000, 40000, 100, 50)),
                new Needs(List.of(new Needs.NeededFile("/usr/" + "x".repeat(300), 77, "program")), List.of(new Needs.NeededOption("--shell-job", "a terminal")),
                        List.of("run as root"), 0));
    }

    private static Path page(String name, String html) throws IOException {
        return Files.writeString(scratch.resolve(name + ".html"), html);
    }

    private static void assertLooksRight(Path page) throws IOException, InterruptedException {
        for (String scheme : List.of("light", "dark")) {
            for (int width : WIDTHS) {
                browser.look(width, scheme);
                browser.open(page);
                browser.run("document.querySelectorAll('details').forEach(d => d.open = true)");
                String where = page.getFileName() + ", " + width + " " + scheme;
                assertThat((Long) browser.run("return document.documentElement.scrollWidth")).as("width needed by %s", where).isLessThanOrEqualTo(width);
                assertThat((List<?>) browser.run(POOR_CONTRAST)).as("poor contrast in %s", where).isEmpty();
            }
        }
        assertThat(browser.console()).isEmpty();
    }

    @Test
    void fitsAndIsReadableEverywhere() throws Exception {
        Checkpoint checkpoint = large();
        assertLooksRight(page("report", new CheckpointReport("soak", checkpoint, null, 12345).html()));
        List<Task> fewer = new ArrayList<>(checkpoint.tasks().subList(1, 29));
        fewer.add(CheckpointReportTest.checkpoint("new").tasks().get(0));
        Checkpoint later = new Checkpoint(2, 1, checkpoint.totals(), fewer, Optional.empty(), checkpoint.needs());
        assertLooksRight(page("diff", new DiffReport(CheckpointDiff.of(checkpoint, later)).html("before", "after")));
    }

    @Test
    void everyLinkLeadsSomewhereAndEveryNameIsThereOnce() throws Exception {
        browser.open(page("links", new CheckpointReport("soak", large(), null, -1).html()));
        assertThat((List<?>) browser.run("return [...document.querySelectorAll('a')].map(a => a.getAttribute('href')).filter(h => !document.getElementById(h.slice(1)))")).isEmpty();
        assertThat((List<?>) browser.run("const ids = [...document.querySelectorAll('[id]')].map(e => e.id); return ids.filter((id, i) => ids.indexOf(id) !== i)")).isEmpty();
        assertThat((List<?>) browser.run("return [...document.querySelectorAll('svg:not([aria-hidden])')].filter(s => !s.getAttribute('aria-label')).map(s => s.outerHTML)")).isEmpty();
    }

    @Test
    void canBeReadByKeyboard() throws Exception {
        browser.look(1280, "light");
        browser.open(page("keys", new CheckpointReport("soak", CheckpointReportTest.checkpoint("soak"), null, -1).html()));
        long wanted = (Long) browser.run("return [...document.querySelectorAll('a, summary, [tabindex]')].filter(e => e.checkVisibility()).length");
        Set<Object> reached = new HashSet<>();
        for (int i = 0; i < wanted; i++) {
            browser.press(TAB);
            reached.add(browser.run("const e = document.activeElement; return [...document.querySelectorAll('*')].indexOf(e) + ' ' + e.tagName"));
            assertThat(browser.run("return getComputedStyle(document.activeElement).outlineStyle")).as("what has the focus shows it").isNotEqualTo("none");
            if (i == 0) {
                assertThat(browser.run("return document.activeElement.className")).isEqualTo("cp-skip");
            }
        }
        assertThat(reached).hasSize((int) wanted);
        browser.run("document.querySelector('#memory .cp-more > summary').focus()");
        browser.press(ENTER);
        assertThat(browser.run("return document.querySelector('#memory .cp-more').open")).isEqualTo(true);
    }

    @Test
    void runsNothingThatACheckpointBrought() throws Exception {
        String hostile = "</code></style><script>document.title='owned'</script><img src=x onerror=document.title='owned'><style>*{display:none}</style>\"' onfocus=alert(1) autofocus x='";
        browser.open(page("hostile", new CheckpointReport(hostile, CheckpointReportTest.checkpoint(hostile), null, -1).html()));
        assertThat(browser.console()).isEmpty();
        Map<?, ?> found = (Map<?, ?>) browser.run("""
                return {scripts: document.scripts.length, images: document.images.length, styles: document.querySelectorAll('style').length,
                    title: document.title, shown: document.querySelector('h1').checkVisibility(),
                    handlers: [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length}""");
        assertThat(found).isEqualTo(Map.of("scripts", 0L, "images", 0L, "styles", 1L, "title", "Checkpoint " + hostile, "shown", true, "handlers", 0L));
    }
}
