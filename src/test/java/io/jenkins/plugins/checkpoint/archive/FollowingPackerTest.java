// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.checkpoint.image.SampleImages;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives of dumps that are still being written: what they hold, and that there is none when something goes wrong. */
class FollowingPackerTest {
    private static final int PIECE = 5 << 20;

    @TempDir
    private Path directory;
    private Path sample;
    private Path images;
    private Path archive;
    private byte[] pages;
    private final AtomicLong told = new AtomicLong();

    @BeforeEach
    void write() throws IOException {
        sample = SampleImages.write(directory.resolve("sample"));
        images = Files.createDirectory(directory.resolve("images"));
        archive = Files.createDirectory(directory.resolve("archives")).resolve("a.tar.zst");
        pages = new byte[3 * PIECE + 4096];
        new Random(1).nextBytes(pages);
    }

    private PackOptions options(String compression) {
        return PackOptions.DEFAULT.withCompression(Compression.parse(compression)).withProgress(told::set);
    }

    private List<String> names(Path where) throws IOException {
        try (Stream<Path> files = Files.list(where)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    // As an engine does: at the end of the file.
    private void append(String name, int from, int to) throws IOException {
        Files.write(images.resolve(name), Arrays.copyOfRange(pages, from, to), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private void writeSmallImages() throws IOException {
        try (Stream<Path> files = Files.list(sample)) {
            for (Path file : files.toList()) {
                Files.copy(file, images.resolve(file.getFileName()));
            }
        }
    }

    private void assertHolds(Manifest manifest) throws IOException {
        Path out = directory.resolve("out");
        assertThat(CheckpointUnpacker.unpack(archive, out, ArchiveLimits.DEFAULT)).isEqualTo(manifest);
        assertThat(names(out)).isEqualTo(names(images));
        for (String name : names(images)) {
            assertThat(out.resolve(name)).hasSameBinaryContentAs(images.resolve(name));
        }
        assertThat(names(archive.getParent())).containsExactly("a.tar.zst");
    }

    @ParameterizedTest
    @ValueSource(strings = {"zstd", "zstd:-5", "lz4", "none"})
    void packsMemoryWhileItIsWritten(String compression) throws Exception {
        try (FollowingPacker packer = FollowingPacker.start(images, archive, options(compression))) {
            append("pages-2.img", 0, PIECE);
            await().until(() -> told.get() == PIECE);
            append("pages-2.img", PIECE, 2 * PIECE);
            await().until(() -> told.get() == 2 * PIECE);
            // Too small to be worth it, and one more large one after it.
            append("pages-3.img", 0, 4096);
            append("pages-4.img", 0, PIECE + 4096);
            await().until(() -> told.get() == 3 * PIECE + 4096);
            assertThat(archive).doesNotExist();
            assertThat(names(archive.getParent())).singleElement().asString().startsWith(".a.tar.zst").endsWith(".part");
            writeSmallImages();
            packer.check();
            assertHolds(packer.finish());
        }
        assertThat(names(archive.getParent())).containsExactly("a.tar.zst");
    }

    /** Processes made by fork(2) have most of their memory in common. */
    @Test
    void findsWhatProcessesHaveInCommon() throws Exception {
        try (FollowingPacker packer = FollowingPacker.start(images, archive, options("zstd"))) {
            append("pages-2.img", 0, PIECE);
            await().until(() -> told.get() == PIECE);
            for (String name : List.of("pages-3.img", "pages-4.img", "pages-5.img", "pages-6.img")) {
                append(name, 0, PIECE);
            }
            writeSmallImages();
            assertHolds(packer.finish());
        }
        Path second = directory.resolve("b.tar.zst");
        CheckpointPacker.pack(images, second);
        assertThat(Files.size(second)).isLessThan(2L * PIECE);
    }

    @Test
    void isCutShortNowhere() throws Exception {
        try (FollowingPacker packer = FollowingPacker.start(images, archive, options("zstd"))) {
            append("pages-2.img", 0, PIECE);
            await().until(() -> told.get() == PIECE);
            writeSmallImages();
            packer.finish();
        }
        byte[] whole = Files.readAllBytes(archive);
        for (int length = 0; length < whole.length; length += Math.max(1, whole.length / 200)) {
            Files.write(archive, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> CheckpointUnpacker.verify(archive, ArchiveLimits.DEFAULT)).isInstanceOf(ArchiveException.class);
        }
    }

    @Test
    void leavesNothingOfADumpThatFailed() throws Exception {
        try (FollowingPacker packer = FollowingPacker.start(images, archive, options("zstd"))) {
            append("pages-2.img", 0, PIECE);
            await().until(() -> told.get() == PIECE);
            packer.check();
        }
        assertThat(names(archive.getParent())).isEmpty();
    }

    @Test
    void leavesNothingOfADumpThatTookItsImagesBack() throws Exception {
        try (FollowingPacker packer = FollowingPacker.start(images, archive, options("zstd"))) {
            append("pages-2.img", 0, PIECE);
            await().until(() -> told.get() == PIECE);
            Files.delete(images.resolve("pages-2.img"));
            assertThatThrownBy(packer::finish).hasMessageContaining("inventory.img");
        }
        assertThat(names(archive.getParent())).isEmpty();
    }

    /** The disk is full in the middle: whoever waits for the dump can know, and nothing is left. */
    @Test
    void saysWhenTheDiskIsFull() throws Exception {
        Path small = Files.createDirectory(directory.resolve("small"));
        assumeTrue(new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small.toString()).start().waitFor() == 0, "mounting takes root");
        try {
            archive = small.resolve("a.tar");
            try (FollowingPacker packer = FollowingPacker.start(images, archive, options("none"))) {
                append("pages-2.img", 0, PIECE);
                await().until(() -> catchThrowable(packer::check) != null);
                assertThatThrownBy(packer::check).isInstanceOf(IOException.class).hasMessageContaining("No space left");
                writeSmallImages();
                assertThatThrownBy(packer::finish).hasMessageContaining("No space left");
            }
            assertThat(names(small)).isEmpty();
        } finally {
            assertThat(new ProcessBuilder("umount", small.toString()).start().waitFor()).isZero();
        }
    }

    @Test
    void packsAnewWhatChangedAfterwards() throws Exception {
        try (FollowingPacker packer = FollowingPacker.start(images, archive, options("zstd"))) {
            append("pages-2.img", 0, PIECE);
            append("pages-4.img", 0, PIECE);
            await().until(() -> told.get() == 2 * PIECE);
            append("pages-2.img", PIECE, 2 * PIECE);
            writeSmallImages();
            assertHolds(packer.finish());
        }
    }

    /** Pages of an older dump in the same directory may be replaced at any time. */
    @Test
    void doesNotFollowWhatWasThereBefore() throws Exception {
        append("pages-2.img", PIECE, 2 * PIECE);
        try (FollowingPacker packer = FollowingPacker.start(images, archive, options("zstd"))) {
            Files.delete(images.resolve("pages-2.img"));
            append("pages-2.img", 0, PIECE);
            writeSmallImages();
            assertHolds(packer.finish());
        }
    }

    @Test
    void packsWholeMemoryOfAnIncrementalDump() throws Exception {
        try (FollowingPacker packer = FollowingPacker.start(images, archive, options("zstd"))) {
            try (Stream<Path> files = Files.list(SampleImages.writeLater(directory.resolve("later"), sample))) {
                for (Path file : files.toList()) {
                    Files.move(file, images.resolve(file.getFileName()));
                }
            }
            Manifest manifest = packer.finish();
            assertThat(manifest.files()).filteredOn(file -> file.name().equals("pages-1.img")).singleElement().extracting(Manifest.FileEntry::size)
                    .isEqualTo(3 * 4096L);
        }
    }

    @Test
    void overwritesNothing() throws Exception {
        Files.createFile(archive);
        assertThatThrownBy(() -> FollowingPacker.start(images, archive, options("zstd"))).isInstanceOf(FileAlreadyExistsException.class);
    }

    /** A manifest that needs more room than was left for it. */
    @ParameterizedTest
    @ValueSource(strings = {"zstd", "lz4", "none"})
    void makesRoomForALargeManifest(String compression) throws Exception {
        writeSmallImages();
        Instant now = CheckpointPacker.now();
        try (ArchiveWriter writer = new ArchiveWriter(archive, now, 512, options(compression))) {
            for (PackedFile file : PackedFile.of(images)) {
                writer.add(file);
            }
            assertHolds(writer.finish(CheckpointPacker.describe(images, now, List.of())));
        }
    }
}
