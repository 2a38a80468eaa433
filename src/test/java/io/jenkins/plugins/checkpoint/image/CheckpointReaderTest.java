// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
        assertThat(root.threads()).containsExactly(100, 102);
        assertThat(root.name()).isEqualTo("soak");
        assertThat(root.state()).isEqualTo("alive");
        assertThat(root.program()).isEqualTo("/usr/bin/soak");
        assertThat(root.arguments()).containsExactly("soak", "--hours");
        // [vsyscall], in the kernel's half, is nobody's memory; three of six pages are in an earlier dump.
        assertThat(root.memory()).isEqualTo(new Task.Memory(3, 0x12000, 3 * 4096, 3 * 4096));
        assertThat(root.files()).containsExactly(new Task.OpenFile(0, "reg", "/srv/progress.txt", 77), new Task.OpenFile(7, "pipe", "pipe:[5]", 0));
        Task child = checkpoint.tasks().get(1);
        assertThat(child).isEqualTo(new Task(101, 100, 100, 100, List.of(101), "zombie", "gone", "", List.of(), Task.Memory.NONE, List.of()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"inventory.img", "pstree.img", "core-100.img", "mm-100.img", "pagemap-100.img", "files.img", "fdinfo-4.img"})
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
    @ValueSource(strings = {"inventory.img", "pstree.img", "core-100.img", "mm-100.img", "pagemap-100.img", "files.img", "fdinfo-4.img"})
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
