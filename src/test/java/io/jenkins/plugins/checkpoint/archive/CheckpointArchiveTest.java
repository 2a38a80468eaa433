// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.checkpoint.image.SampleImages;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        Files.createSymbolicLink(images.resolve("parent"), Path.of("../earlier"));
        assertThatThrownBy(() -> CheckpointPacker.pack(images, archive)).hasMessageContaining("incremental dump");
        Files.delete(images.resolve("parent"));
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
