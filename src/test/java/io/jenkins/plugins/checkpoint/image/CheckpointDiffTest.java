// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.jenkins.plugins.checkpoint.image.CheckpointDiff.Change;
import io.jenkins.plugins.checkpoint.image.CheckpointDiff.MappingDiff;
import io.jenkins.plugins.checkpoint.image.CheckpointDiff.ProcessDiff;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.file_entry;
import io.jenkins.plugins.checkpoint.image.proto.PagemapProto.pagemap_head;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointDiffTest {
    private static final int[] PAGEMAP = {0x54564319, 0x56084025};

    @TempDir
    private Path directory;
    private Path before;
    private Path after;

    @BeforeEach
    void write() throws IOException {
        before = SampleImages.write(directory.resolve("before"));
        after = SampleImages.write(directory.resolve("after"));
        // Three pages of the sample's first mapping are in a dump before both.
        Path first = SampleImages.write(directory.resolve("first"));
        SampleImages.file(first, "pagemap-100.img", PAGEMAP, pagemap_head.newBuilder().setPagesId(1).build(), SampleImages.run(0x400000, 3, 4),
                SampleImages.run(0x403000, 1, 4));
        Files.write(first.resolve("pages-1.img"), new byte[4 * 4096]);
        for (Path images : List.of(before, after)) {
            Files.createSymbolicLink(images.resolve("parent"), Path.of("../first"));
        }
    }

    @Test
    void findsNothingInTheSame() throws IOException {
        assertThat(PageComparison.compare(before, after).processes()).allSatisfy(process -> assertThat(process.change()).isEqualTo(Change.SAME));
    }

    @Test
    void countsPagesThatDiffer() throws IOException {
        byte[] pages = Files.readAllBytes(after.resolve("pages-1.img"));
        pages[4096]++;
        pages[2 * 4096 + 4095]++;
        Files.write(after.resolve("pages-1.img"), pages);
        ProcessDiff root = PageComparison.compare(before, after).processes().get(0);
        assertThat(root.pages()).isEqualTo(2);
        assertThat(root.mappings()).extracting(mapping -> mapping.any().start(), MappingDiff::change, MappingDiff::pages)
                .containsExactly(tuple(0x7000000L, Change.CHANGED, 2L));
    }

    @Test
    void takesPagesThatAreInNoDumpForZeros() throws IOException {
        // The later dump has the first page of 0x400000 no more: it is zero in both.
        SampleImages.file(after, "pagemap-100.img", PAGEMAP, pagemap_head.newBuilder().setPagesId(1).build(), SampleImages.run(0x7000000, 2, 4));
        byte[] pages = Files.readAllBytes(before.resolve("pages-1.img"));
        Files.write(after.resolve("pages-1.img"), Arrays.copyOfRange(pages, 4096, pages.length));
        assertThat(PageComparison.compare(before, after).processes().get(0).pages()).isZero();
        pages[5] = 1;
        Files.write(before.resolve("pages-1.img"), pages);
        assertThat(PageComparison.compare(before, after).processes().get(0).pages()).isEqualTo(1);
    }

    @Test
    void seesDescriptorsMoveCloseAndOpen() throws IOException {
        List<file_entry> files = new ArrayList<>();
        try (ImageFile file = ImageFile.open(after.resolve("files.img"), ImageKind.FILES)) {
            for (Optional<file_entry> next = file.next(file_entry.parser()); next.isPresent(); next = file.next(file_entry.parser())) {
                files.add(next.get());
            }
        }
        files.set(0, files.get(0).toBuilder().setReg(files.get(0).getReg().toBuilder().setPos(99)).build());
        SampleImages.file(after, "files.img", new int[] {0x54564319, 0x56303138}, files.toArray(file_entry[]::new));
        SampleImages.file(after, "fdinfo-4.img", new int[] {0x54564319, 0x56213732}, SampleImages.descriptor(0, files.get(0).getType(), 1),
                SampleImages.descriptor(9, files.get(1).getType(), 2));
        ProcessDiff root = PageComparison.compare(before, after).processes().get(0);
        assertThat(root.descriptors()).extracting(CheckpointDiff.DescriptorDiff::change).containsExactly(Change.CHANGED, Change.GONE, Change.NEW);
        assertThat(root.descriptors().get(0).moved()).isTrue();
        assertThat(root.descriptors().get(0).after().position()).isEqualTo(99);
        // Without images the same is told, but not of memory.
        CheckpointDiff bare = CheckpointDiff.of(CheckpointReader.read(before), CheckpointReader.read(after));
        assertThat(bare.processes().get(0).descriptors()).isEqualTo(root.descriptors());
        assertThat(bare.compared()).isFalse();
        assertThat(bare.processes().get(0).pages()).isEqualTo(-1);
    }

    @Test
    void saysThatContentsAreMissing() throws IOException {
        Files.delete(after.resolve("parent"));
        assertThatThrownBy(() -> PageComparison.compare(before, after)).hasMessageContaining("in an earlier dump that is not there");
    }
}
