// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.checkpoint.image.CheckpointReader;
import io.jenkins.plugins.checkpoint.image.SampleImages;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is packed comes out again, and only then. */
class CheckpointArchiveTest {
    @TempDir
    private Path directory;
    private Path images;
    private Path archive;

    @BeforeEach
    void write() throws IOException {
        images = SampleImages.write(directory.resolve("images"));
        archive = directory.resolve("a.tar.zst");
    }

    private List<String> names(Path where) throws IOException {
        try (Stream<Path> files = Files.list(where)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void unpacksWhatItPacked() throws Exception {
        Files.write(images.resolve("empty.img"), new byte[0]);
        Files.write(images.resolve("block.img"), new byte[512]);
        Manifest packed = CheckpointPacker.pack(images, archive);
        Path out = directory.resolve("out");
        Manifest unpacked = CheckpointUnpacker.unpack(archive, out, ArchiveLimits.DEFAULT);
        assertThat(unpacked).isEqualTo(packed);
        assertThat(names(out)).isEqualTo(names(images));
        for (String name : names(images)) {
            assertThat(out.resolve(name)).hasSameBinaryContentAs(images.resolve(name));
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(out))).isEqualTo("rwx------");
        assertThat(names(directory)).containsExactly("a.tar.zst", "images", "out");
    }

    @Test
    void tellsWhatIsInIt() throws Exception {
        Manifest manifest = CheckpointPacker.pack(images, archive);
        assertThat(manifest.tree()).containsExactly(new Manifest.ProcessEntry(100, 0, 100, 100, List.of(100, 102), "soak"),
                new Manifest.ProcessEntry(101, 100, 100, 100, List.of(101), "gone"));
        assertThat(manifest.host()).isEqualTo(HostFacts.current());
        assertThat(manifest.host().kernel()).isEqualTo(System.getProperty("os.version"));
        Manifest.FileEntry pages = manifest.files().stream().filter(file -> file.name().equals("pages-1.img")).findFirst().orElseThrow();
        assertThat(pages.size()).isEqualTo(3 * 4096);
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(images.resolve("pages-1.img")));
        assertThat(pages.sha256()).isEqualTo(HexFormat.of().formatHex(hash));
        assertThat(CheckpointUnpacker.verify(archive, ArchiveLimits.DEFAULT)).isEqualTo(manifest);
        assertThat(Manifest.parse(manifest.toJson())).isEqualTo(manifest);
    }

    @ParameterizedTest
    @ValueSource(strings = {"zstd", "zstd:-5", "zstd:9", "lz4", "none"})
    void unpacksWhateverItWasPackedWith(String compression) throws Exception {
        byte[] large = new byte[5 << 20];
        new Random(1).nextBytes(large);
        Files.write(images.resolve("pages-7.img"), large);
        List<Long> told = new ArrayList<>();
        PackOptions options = PackOptions.DEFAULT.withCompression(Compression.parse(compression)).withProgress(told::add);
        Manifest packed = CheckpointPacker.pack(images, archive, options);
        assertThat(told).isSorted().last().isEqualTo(packed.bytes());
        Path out = directory.resolve("out");
        assertThat(CheckpointUnpacker.unpack(archive, out, ArchiveLimits.DEFAULT)).isEqualTo(packed);
        assertThat(names(out)).isEqualTo(names(images));
        assertThat(out.resolve("pages-7.img")).hasBinaryContent(large);
        // All of it counts.
        byte[] whole = Files.readAllBytes(archive);
        for (int at : new int[] {100, whole.length / 2, whole.length * 3 / 4}) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 0x55;
            Files.write(archive, damaged);
            assertThatThrownBy(() -> CheckpointUnpacker.verify(archive, ArchiveLimits.DEFAULT)).isInstanceOf(ArchiveException.class);
        }
        for (int length : new int[] {3, 100, whole.length / 2, whole.length - 1}) {
            Files.write(archive, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> CheckpointUnpacker.verify(archive, ArchiveLimits.DEFAULT)).isInstanceOf(ArchiveException.class);
        }
    }

    /** What it makes is what the programs of that name read. */
    @ParameterizedTest
    @CsvSource({"zstd, zstd -dc", "lz4, lz4 -dc", "none, cat"})
    void isReadByOtherPrograms(String compression, String program) throws Exception {
        assumeTrue(new ProcessBuilder("sh", "-c", "command -v " + program.split(" ")[0]).start().waitFor() == 0, program + " is not installed");
        CheckpointPacker.pack(images, archive, PackOptions.DEFAULT.withCompression(Compression.parse(compression)));
        Process list = new ProcessBuilder("sh", "-c", program + " <\"$0\" | tar -tf -", archive.toString()).redirectErrorStream(true).start();
        List<String> lines = new String(list.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).startsWith("manifest.json").containsAll(names(images).stream().map(name -> "images/" + name).toList());
        assertThat(list.waitFor()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "gzip", "zstd:", "zstd:20", "zstd:-8", "zstd:x", "lz4:1", "none:0"})
    void knowsNoOtherCompression(String text) {
        assertThatThrownBy(() -> Compression.parse(text)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("there are zstd");
    }

    @Test
    void squashesAnIncrementalDump() throws Exception {
        Path later = SampleImages.writeLater(directory.resolve("later"), images);
        Manifest manifest = CheckpointPacker.pack(later, archive);
        Path out = directory.resolve("out");
        CheckpointUnpacker.unpack(archive, out, ArchiveLimits.DEFAULT);
        assertThat(names(out)).doesNotContain("parent").contains("pages-1.img");
        // First page from the later dump, the other two from the one before.
        byte[] pages = Files.readAllBytes(out.resolve("pages-1.img"));
        byte[] before = Files.readAllBytes(images.resolve("pages-1.img"));
        assertThat(pages).hasSize(3 * 4096);
        assertThat(Arrays.copyOf(pages, 4096)).containsOnly(0x5a);
        assertThat(Arrays.copyOfRange(pages, 4096, 3 * 4096)).isEqualTo(Arrays.copyOfRange(before, 4096, 3 * 4096));
        assertThat(CheckpointReader.read(out).tasks().get(0).arguments()).isEqualTo(CheckpointReader.read(later).tasks().get(0).arguments()).isNotEmpty();
        assertThat(manifest.files()).filteredOn(file -> file.name().equals("pages-1.img")).singleElement().extracting(Manifest.FileEntry::size).isEqualTo(3 * 4096L);
        Files.delete(images.resolve("pagemap-100.img"));
        Path second = directory.resolve("b.tar.zst");
        assertThatThrownBy(() -> CheckpointPacker.pack(later, second)).hasMessageContaining("is in none of the dumps before it");
        assertThat(second).doesNotExist();
    }

    @Test
    void keepsOnlyWhatIsWanted() throws Exception {
        CheckpointPacker.pack(images, archive);
        Path out = directory.resolve("out");
        CheckpointUnpacker.unpack(archive, out, ArchiveLimits.DEFAULT, file -> file.name().startsWith("core-"));
        assertThat(names(out)).containsExactly("core-100.img", "core-101.img", "core-102.img");
    }

    @Test
    void overwritesNothing() throws Exception {
        CheckpointPacker.pack(images, archive);
        assertThatThrownBy(() -> CheckpointPacker.pack(images, archive)).isInstanceOf(FileAlreadyExistsException.class);
        assertThatThrownBy(() -> CheckpointUnpacker.unpack(archive, images, ArchiveLimits.DEFAULT)).isInstanceOf(DirectoryNotEmptyException.class);
        assertThatThrownBy(() -> CheckpointUnpacker.unpack(archive, archive, ArchiveLimits.DEFAULT)).isInstanceOf(FileAlreadyExistsException.class);
        Path empty = Files.createDirectory(directory.resolve("empty"));
        CheckpointUnpacker.unpack(archive, empty, ArchiveLimits.DEFAULT);
        assertThat(names(empty)).isEqualTo(names(images));
    }

    @Test
    void packsNothingButWholeCheckpoints() throws Exception {
        Files.createSymbolicLink(images.resolve("extra.img"), Path.of("/etc/passwd"));
        assertThatThrownBy(() -> CheckpointPacker.pack(images, archive)).isInstanceOf(ArchiveException.class).hasMessageContaining("extra.img is not a plain file");
        Files.delete(images.resolve("extra.img"));
        Files.createFile(images.resolve("a b"));
        assertThatThrownBy(() -> CheckpointPacker.pack(images, archive)).hasMessageContaining("file name \"a b\"");
        Files.delete(images.resolve("a b"));
        Files.delete(images.resolve("core-100.img"));
        assertThatThrownBy(() -> CheckpointPacker.pack(images, archive)).hasMessageContaining("core-100.img: missing");
        assertThatThrownBy(() -> CheckpointPacker.pack(directory, archive)).hasMessageContaining("inventory.img is missing");
        assertThat(names(directory)).containsExactly("images");
    }

    @Test
    void saysWhatAnotherMachineLacks() {
        Manifest.Host origin = new Manifest.Host("6.1", "x86_64", "big", List.of("avx2", "avx512f"));
        assertThat(HostFacts.lacks(origin, origin)).isEmpty();
        assertThat(HostFacts.lacks(origin, new Manifest.Host("6.1", "x86_64", "small", List.of("avx2")))).containsExactly("this CPU lacks avx512f");
        assertThat(HostFacts.lacks(origin, new Manifest.Host("6.1", "aarch64", "other", List.of()))).containsExactly("it was made on x86_64, this is aarch64");
    }
}
