// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.jenkins.plugins.checkpoint.image.proto.MmProto.mm_entry;
import io.jenkins.plugins.checkpoint.image.proto.PagemapProto.pagemap_head;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointReaderTest {
    @TempDir
    private Path directory;
    private Path images;

    @BeforeEach
    void write() throws IOException {
        images = SampleImages.write(directory.resolve("images"));
    }

    @Test
    void readsTreeMemoryAndFiles() throws IOException {
        Checkpoint checkpoint = CheckpointReader.read(images);
        assertThat(checkpoint.imageVersion()).isEqualTo(2);
        assertThat(checkpoint.root()).isEqualTo(100);
        assertThat(checkpoint.stats()).isEmpty();
        Task root = checkpoint.tasks().get(0);
        assertThat(root.threads()).containsExactly(new TaskThread(100, "soak"), new TaskThread(102, "worker"));
        assertThat(root.name()).isEqualTo("soak");
        assertThat(root.state()).isEqualTo("alive");
        assertThat(root.program()).isEqualTo("/usr/bin/soak");
        assertThat(root.arguments()).containsExactly("soak", "--hours");
        assertThat(root.credentials()).isEqualTo(new Credentials(1000, 1000, 100, 100, 1L << 32, "off"));
        // [vsyscall], in the kernel's half, is nobody's memory; three of six pages are in an earlier dump.
        assertThat(root.memory()).isEqualTo(new Task.Memory(2, 0x12000, 3 * 4096, 3 * 4096));
        assertThat(root.mappings()).containsExactly(
                new Mapping(0x400000, 0x410000, MappingKind.ANONYMOUS, "rw-p", "", 0, 4096, 3 * 4096, 0, List.of()),
                new Mapping(0x7000000, 0x7002000, MappingKind.ANONYMOUS, "rw-p", "", 0, 2 * 4096, 0, 0, List.of()));
        assertThat(root.descriptors()).extracting(Descriptor::number, Descriptor::kind, Descriptor::what, Descriptor::name, Descriptor::position)
                .containsExactly(tuple(0, "reg", "file", "/srv/progress.txt", 77L), tuple(7, "pipe", "pipe", "pipe:[5]", 0L));
        Task child = checkpoint.tasks().get(1);
        assertThat(child).isEqualTo(new Task(101, 100, 100, 100, List.of(new TaskThread(101, "gone")), "zombie", "gone", "", List.of(), "", Credentials.NONE,
                Task.Memory.NONE, List.of(), List.of(), List.of(), Task.Omitted.NONE));
        assertThat(checkpoint.totals()).isEqualTo(new Checkpoint.Totals(2, 3, 2, 2, 0x12000, 3 * 4096, 3 * 4096));
    }

    @Test
    void tellsWhatARestoreNeeds() throws IOException {
        Needs needs = CheckpointReader.read(images).needs();
        assertThat(needs.files()).containsExactly(new Needs.NeededFile("/usr/bin/soak", -1, "program"), new Needs.NeededFile("/srv/progress.txt", -1, "open"));
        assertThat(needs.options()).isEmpty();
        assertThat(needs.privileges()).first().isEqualTo("run as user 1000, or as root");
        int[] magics = {0x54564319, 0x50273030};
        SampleImages.file(images, "pstree.img", magics, SampleImages.process(100, 0, 100).toBuilder().setSid(7).build());
        assertThat(CheckpointReader.read(images).needs().options()).extracting(Needs.NeededOption::option).containsExactly("--shell-job");
    }

    @Test
    void refusesMappingsThatOverlapAndPagesThatAreThereTwice() throws IOException {
        mm_entry mm;
        try (ImageFile file = ImageFile.open(images.resolve("mm-100.img"), ImageKind.MM)) {
            mm = file.first(mm_entry.parser());
        }
        int[] magics = {0x54564319, 0x57492820};
        SampleImages.file(images, "mm-100.img", magics, mm.toBuilder().addVmas(mm.getVmas(0)).build());
        assertThatThrownBy(() -> CheckpointReader.read(images)).hasMessageContaining("the mapping from 0x400000 to 0x410000 overlaps the one before it");
        SampleImages.file(images, "mm-100.img", magics, mm.toBuilder().addVmas(mm.getVmas(1).toBuilder().setStart(1L << 60).setEnd(2L << 60)).build());
        assertThatThrownBy(() -> CheckpointReader.read(images)).hasMessageContaining("a mapping from 0x1000000000000000");
        SampleImages.write(images);
        int[] pagemap = {0x54564319, 0x56084025};
        SampleImages.file(images, "pagemap-100.img", pagemap, pagemap_head.newBuilder().setPagesId(1).build(), SampleImages.run(0x400000, 2, 4),
                SampleImages.run(0x401000, 1, 4));
        assertThatThrownBy(() -> CheckpointReader.read(images)).hasMessageContaining("describes the page at 0x401000 twice");
    }

    @Test
    void readsArgumentsFromTheDumpBefore() throws IOException {
        Path before = SampleImages.write(directory.resolve("before"));
        Files.createSymbolicLink(images.resolve("parent"), Path.of("../before"));
        SampleImages.file(images, "pagemap-100.img", new int[] {0x54564319, 0x56084025}, pagemap_head.newBuilder().setPagesId(1).build(),
                SampleImages.run(0x7000000, 2, 1));
        Task root = CheckpointReader.read(images).tasks().get(0);
        assertThat(root.arguments()).containsExactly("soak", "--hours");
        assertThat(root.memory()).isEqualTo(new Task.Memory(2, 0x12000, 0, 2 * 4096));
        Files.delete(before.resolve("pages-1.img"));
        assertThat(CheckpointReader.read(images).tasks().get(0).arguments()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"inventory.img", "pstree.img", "core-100.img", "core-102.img", "mm-100.img", "pagemap-100.img", "files.img", "fdinfo-4.img"})
    void refusesAnImageCutShortAnywhere(String name) throws IOException {
        byte[] whole = Files.readAllBytes(images.resolve(name));
        int refused = 0;
        for (int length = 0; length < whole.length; length++) {
            Files.write(images.resolve(name), Arrays.copyOf(whole, length));
            try {
                CheckpointReader.read(images);
            } catch (ImageException e) {
                assertThat(e).hasMessageContaining(name.equals("pstree.img") && length > 8 ? "" : name);
                refused++;
            }
        }
        // A cut between two entries leaves a shorter but well-formed file; everywhere else it shows.
        assertThat(refused).isGreaterThanOrEqualTo(whole.length - 4);
    }

    @ParameterizedTest
    @ValueSource(strings = {"inventory.img", "pstree.img", "core-100.img", "core-102.img", "mm-100.img", "pagemap-100.img", "files.img", "fdinfo-4.img"})
    // Every third: across the bytes that is every place in one.
    void survivesFlippedBits(String name) throws IOException {
        byte[] whole = Files.readAllBytes(images.resolve(name));
        for (int bit = 0; bit < whole.length * 8; bit += 3) {
            byte[] damaged = whole.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(images.resolve(name), damaged);
            try {
                CheckpointReader.read(images);
            } catch (ImageException e) {
                assertThat(e).hasMessageContaining(images.toString());
            }
        }
    }

    @Test
    void namesWhatIsWrong() throws IOException {
        assertThatThrownBy(() -> CheckpointReader.read(directory.resolve("none"))).isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> CheckpointReader.read(images.resolve("pstree.img"))).isInstanceOf(NotDirectoryException.class);
        assertThatThrownBy(() -> CheckpointReader.read(directory)).hasMessageContaining("inventory.img is missing");
        Files.copy(images.resolve("mm-100.img"), images.resolve("core-101.img"), StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(() -> CheckpointReader.read(images)).hasMessageContaining("core-101.img: not a CORE image: magic 0x57492820, expected 0x55053847");
    }

    @Test
    void followsNoLink() throws IOException {
        Files.move(images.resolve("mm-100.img"), directory.resolve("elsewhere"));
        Files.createSymbolicLink(images.resolve("mm-100.img"), directory.resolve("elsewhere"));
        assertThatThrownBy(() -> CheckpointReader.read(images)).hasMessageContaining("mm-100.img: not a plain file");
    }

    @Test
    void refusesATreeThatIsNone() throws IOException {
        int[] magics = {0x54564319, 0x50273030};
        SampleImages.file(images, "pstree.img", magics, SampleImages.process(100, 0, 100), SampleImages.process(100, 100, 100));
        assertThatThrownBy(() -> CheckpointReader.read(images)).hasMessageContaining("pid 100 is impossible or there twice");
        SampleImages.file(images, "pstree.img", magics, SampleImages.process(100, 0, 100), SampleImages.process(101, 55, 101));
        assertThatThrownBy(() -> CheckpointReader.read(images)).hasMessageContaining("a parent, 55, that is not there");
        SampleImages.file(images, "pstree.img", magics);
        assertThatThrownBy(() -> CheckpointReader.read(images)).hasMessageContaining("has no process");
    }

    @Test
    void refusesAnEntryLargerThanAnyRealOne() throws IOException {
        Files.write(images.resolve("pstree.img"), new byte[] {0x19, 0x43, 0x56, 0x54, 0x30, 0x30, 0x27, 0x50, -1, -1, -1, 0x7f});
        assertThatThrownBy(() -> CheckpointReader.read(images)).hasMessageContaining("an entry of 2147483647 bytes");
    }
}
