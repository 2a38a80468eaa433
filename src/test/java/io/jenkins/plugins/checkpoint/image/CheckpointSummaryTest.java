// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.checkpoint.archive.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointSummaryTest {
    @TempDir
    private Path directory;

    /** As large as a build's checkpoint may get: a JVM with many mappings among many processes. */
    private static Checkpoint large(int processes, int mappings, int descriptors) {
        List<Task> tasks = new ArrayList<>();
        for (int pid = 1; pid <= processes; pid++) {
            List<Mapping> maps = new ArrayList<>();
            int count = pid == 1 ? mappings : 50;
            for (int i = 0; i < count; i++) {
                long start = 0x7f0000000000L + i * 0x10000L;
                maps.add(new Mapping(start, start + 0x8000, MappingKind.ANONYMOUS, "rw-p", "/usr/lib/x86_64-linux-gnu/a-library-of-some-length.so." + i, 0,
                        i % 8 * 4096L, 0, 0, List.of()));
            }
            List<Descriptor> fds = new ArrayList<>();
            for (int i = 0; i < descriptors; i++) {
                fds.add(new Descriptor(i, "reg", "file", "/var/log/some/file/" + i, "w", false, i, -1, null, "", i, List.of(), List.of()));
            }
            tasks.add(new Task(pid, pid - 1, 1, 1, List.of(new TaskThread(pid, "java")), "alive", "java", "/usr/bin/java",
                    Collections.nCopies(5000, "-Dsome.property=of-some-length"), "/", Credentials.NONE, new Task.Memory(count, count * 0x8000L, count * 4096L, 0), maps,
                    fds, List.of(), Task.Omitted.NONE));
        }
        return new Checkpoint(2, 1, new Checkpoint.Totals(processes, processes, mappings, descriptors, 1, 1, 0), tasks, Optional.empty(),
                new Needs(List.of(), List.of(), List.of(), 0));
    }

    @Test
    void staysSmallAndTellsWhatIsLeftOut() {
        Checkpoint checkpoint = large(3000, 60000, 300);
        Checkpoint summary = CheckpointSummary.of(checkpoint, List.of());
        assertThat(Json.write(CheckpointJson.write(summary)).length()).isLessThan(8 << 20);
        assertThat(summary.totals()).isEqualTo(checkpoint.totals());
        assertThat(summary.tasks()).hasSize(1000);
        Task first = summary.tasks().get(0);
        assertThat(first.mappings().size() + first.omitted().mappings()).isEqualTo(60000);
        assertThat(first.descriptors().size() + first.omitted().descriptors()).isEqualTo(300);
        // What is kept is what weighs most, and nothing is counted twice or lost.
        assertThat(first.mappings()).allSatisfy(mapping -> assertThat(mapping.stored()).isEqualTo(7 * 4096));
        long before = checkpoint.tasks().get(0).mappings().stream().mapToLong(Mapping::stored).sum();
        assertThat(first.mappings().stream().mapToLong(Mapping::stored).sum() + first.omitted().stored()).isEqualTo(before);
        assertThat(first.arguments().stream().mapToInt(String::length).sum()).isLessThan(2100);
        assertThat(CheckpointJson.read(Json.parse(Json.write(CheckpointJson.write(summary))))).isEqualTo(summary);
    }

    @Test
    void givesEachAFairShare() {
        assertThat(CheckpointSummary.share(new int[] {3, 100, 100}, 1000)).isGreaterThanOrEqualTo(100);
        assertThat(CheckpointSummary.share(new int[] {3, 100, 100}, 53)).isEqualTo(25);
        assertThat(CheckpointSummary.share(new int[] {9, 9, 9}, 2)).isZero();
    }

    @Test
    void leavesASmallOneAsItIs() throws IOException {
        Checkpoint checkpoint = CheckpointReader.read(SampleImages.write(directory));
        assertThat(CheckpointSummary.of(checkpoint, List.of())).isEqualTo(checkpoint);
    }

    @Test
    void masksSecrets() {
        Secrets secrets = new Secrets(List.of("hunter2", "x"));
        assertThat(secrets.maskArguments(List.of("soak", "--password", "abc", "--hours", "8", "--api-key=def", "-Ddb.password=ghi", "--url", "https://joe:jkl@db/x",
                "--name=hunter2-box", "-x", "--token", "--next", "sh -c 'PASSWORD=mno ./run --secret pqr; echo \"token\": \"stu\"'")))
                .containsExactly("soak", "--password", "****", "--hours", "8", "--api-key=****", "-Ddb.password=****", "--url", "https://joe:****@db/x",
                        "--name=****-box", "-x", "--token", "--next", "sh -c 'PASSWORD=**** ./run --secret ****; echo \"token\": ****'");
        assertThat(secrets.mask("curl -H 'Authorization: Bearer abc.def' ghp_0123456789abcdefghij0123")).doesNotContain("abc", "0123");
        assertThat(secrets.mask("/srv/data --case 12")).isEqualTo("/srv/data --case 12");
        // Time linear in the length, whatever the text.
        assertThat(secrets.mask("a".repeat(1 << 18) + "password")).hasSize((1 << 18) + 8);
    }

    @Test
    void refusesWhatIsNoSummary() throws IOException {
        Map<String, Object> json = CheckpointJson.write(CheckpointReader.read(SampleImages.write(directory)));
        assertThatThrownBy(() -> CheckpointJson.read(List.of())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> CheckpointJson.read(Map.of())).hasMessageContaining("version 0");
        assertThatThrownBy(() -> CheckpointJson.read(with(json, "processes", "none"))).hasMessageContaining("\"processes\"");
        assertThatThrownBy(() -> CheckpointJson.read(with(json, "processes", List.of(Map.of("pid", -1L))))).hasMessageContaining("negative number as \"pid\"");
        assertThatThrownBy(() -> CheckpointJson.read(with(json, "processes",
                List.of(Map.of("mappings", List.of(Map.of("start", "0x5000", "end", "0x4000", "kind", "heap")))))))
                .hasMessageContaining("a mapping from 0x5000 to 0x4000");
    }

    private static Object with(Map<String, Object> json, String key, Object value) {
        Map<String, Object> copy = new TreeMap<>(json);
        copy.put(key, value);
        // Through text: numbers are longs there.
        @SuppressWarnings("unchecked")
        Map<String, Object> parsed = (Map<String, Object>) Json.parse(Json.write(copy));
        return parsed;
    }
}
