// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.Credentials;
import io.jenkins.plugins.checkpoint.image.Descriptor;
import io.jenkins.plugins.checkpoint.image.Mapping;
import io.jenkins.plugins.checkpoint.image.MappingKind;
import io.jenkins.plugins.checkpoint.image.Needs;
import io.jenkins.plugins.checkpoint.image.Task;
import io.jenkins.plugins.checkpoint.image.TaskThread;
import io.jenkins.plugins.checkpoint.image.TaskTimer;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CheckpointReportTest {
    /** A checkpoint in which every string is this one. */
    static Checkpoint checkpoint(String text) {
        Mapping mapping = new Mapping(0x400000, 0x500000, MappingKind.HEAP, text, text, 4096, 8192, 4096, 0, List.of(text));
        Descriptor descriptor = new Descriptor(0, text, text, text, text, true, 7, 9, new Descriptor.Socket(text, text, text), text, 1,
                List.of(new Descriptor.End(7, 1)), List.of());
        Task task = new Task(7, 0, 7, 7, List.of(new TaskThread(7, text), new TaskThread(8, text)), text, text, text, List.of(text, text), text,
                new Credentials(0, 0, 0, 0, 0, text), new Task.Memory(1, 1 << 20, 8192, 4096), List.of(mapping), List.of(descriptor),
                List.of(new TaskTimer(text, -1, 1, 1)), Task.Omitted.NONE);
        return new Checkpoint(2, 7, new Checkpoint.Totals(1, 2, 1, 1, 1 << 20, 8192, 4096), List.of(task),
                Optional.of(new Checkpoint.DumpStats(1, 2, 3, 4, 5, 6)),
                new Needs(List.of(new Needs.NeededFile(text, 5, text)), List.of(new Needs.NeededOption(text, text)), List.of(text), 0));
    }

    @Test
    void escapesEveryForeignString() {
        String hostile = "</code></style><script>alert(1)</script><img src=x onerror='x'>\"'&\u202e\u0000";
        String html = new CheckpointReport(hostile, checkpoint(hostile), null, -1).html();
        // Nothing but what the report itself opens; nothing that it opened is closed early.
        assertThat(html).doesNotContain("<script", "<img", "onerror='", "\u202e", "\u0000").contains("&lt;script&gt;");
        assertThat(html.split("<style>", -1)).hasSize(2);
        assertThat(html.split("</style>", -1)).hasSize(2);
        assertThat(html.replaceAll("\"[^\"]*\"", "\"\"")).doesNotContainPattern("<[a-z]+[^>]* (style|on[a-z]+)=");
    }

    @Test
    void isOneFileThatAsksForNothingElse() {
        String html = new CheckpointReport("soak", checkpoint("soak"), null, -1).html();
        assertThat(html).contains("default-src &#39;none&#39;").doesNotContain("http://", "https://", "url(", "@import", " src=");
        assertThat(html).contains("class=\"cp-k-heap\"", "heap 1.0 MiB", "<title>Checkpoint soak</title>");
    }

    @Test
    void drawsMappingsToScale() {
        Mapping small = new Mapping(0x10000, 0x20000, MappingKind.HEAP, "rw-p", "", 0, 0x10000, 0, 0, List.of());
        Mapping large = new Mapping(0x100000, 0x130000, MappingKind.ANONYMOUS, "rw-p", "", 0, 0, 0, 0, List.of());
        Task task = new Task(7, 0, 7, 7, List.of(new TaskThread(7, "x")), "alive", "x", "", List.of(), "", Credentials.NONE,
                new Task.Memory(2, 0x40000, 0x10000, 0), List.of(small, large), List.of(), List.of(), Task.Omitted.NONE);
        String html = new MemoryMap(task).html().toString();
        // A quarter and three quarters of the width, but for the least that each gets; pale where nothing is stored.
        assertThat(html).contains("width=\"249.60\" height=\"20\" fill-opacity=\"1\"", "width=\"748.80\" height=\"20\" fill-opacity=\".25\"");
    }

    @Test
    void quotesArgumentsAsAShellWould() {
        Task task = new Task(7, 0, 7, 7, List.of(), "alive", "x", "", List.of("sh", "-c", "echo 'a b'", ""), "", Credentials.NONE, Task.Memory.NONE, List.of(),
                List.of(), List.of(), Task.Omitted.NONE);
        assertThat(ReportSections.command(task)).isEqualTo("sh -c 'echo '\\''a b'\\''' ''");
    }
}
