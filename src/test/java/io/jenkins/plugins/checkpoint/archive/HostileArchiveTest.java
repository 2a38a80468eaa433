// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import io.jenkins.plugins.checkpoint.image.SampleImages;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives that lie, overreach, or are broken: refused in one line, with nothing left behind and nothing touched outside. */
class HostileArchiveTest {
    private static final byte[] CONTENT = "some pages".getBytes(StandardCharsets.US_ASCII);

    @TempDir
    private Path directory;
    private Path archive;
    private Path target;

    @BeforeEach
    void names() throws IOException {
        Path inner = Files.createDirectory(directory.resolve("inner"));
        archive = inner.resolve("a.tar.zst");
        target = inner.resolve("out");
    }

    @AfterEach
    void nothingIsLeftBehind() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            assertThat(files.filter(Files::isRegularFile).filter(file -> !file.equals(archive))).isEmpty();
        }
        assertThat(target).doesNotExist();
        try (Stream<Path> files = Files.list(directory.resolve("inner"))) {
            assertThat(files).allMatch(archive::equals);
        }
    }

    /** An entry to write into an archive. */
    private record Item(TarArchiveEntry header, byte[] content) {
        static Item file(String name, byte[] content) {
            TarArchiveEntry header = new TarArchiveEntry(name, true);
            header.setSize(content.length);
            return new Item(header, content);
        }

        static Item special(String name, byte type, String link) {
            TarArchiveEntry header = new TarArchiveEntry(name, type, true);
            header.setLinkName(link);
            return new Item(header, new byte[0]);
        }
    }

    private static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Item manifest(Manifest.FileEntry... files) {
        Manifest manifest = new Manifest("2026-01-01T00:00:00Z", new Manifest.Host("6.1", "x86_64", "cpu", List.of()), List.of(files), List.of(), Map.of(), Map.of());
        return Item.file("manifest.json", manifest.toJson().getBytes(StandardCharsets.UTF_8));
    }

    private static Manifest.FileEntry entry(String name) {
        return new Manifest.FileEntry(name, CONTENT.length, sha256(CONTENT));
    }

    private static byte[] tar(Item... items) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(bytes)) {
            out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            for (Item item : items) {
                out.putArchiveEntry(item.header);
                out.write(item.content);
                out.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    private void write(byte[] tar) throws IOException {
        Files.write(archive, Zstd.compress(tar));
    }

    private void assertRefused(String... words) {
        assertRefused(ArchiveLimits.DEFAULT, words);
    }

    private void assertRefused(ArchiveLimits limits, String... words) {
        assertThatThrownBy(() -> CheckpointUnpacker.unpack(archive, target, limits)).isInstanceOf(ArchiveException.class)
                .satisfies(e -> assertThat(Stream.of(words)).allSatisfy(word -> assertThat(e).hasMessageContaining(word)))
                .hasMessageContaining(archive.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"../evil", "/etc/evil", "..", ".", "", "a/b", "a\\b", "a\0b", "a\nb"})
    void refusesNamesThatArePaths(String name) throws IOException {
        write(tar(manifest(entry(name)), Item.file("images/x", CONTENT)));
        assertRefused("is not a plain file name");
    }

    @ParameterizedTest
    @ValueSource(strings = {"images/../../evil", "/etc/evil", "../images/a", "evil", "images//a", "images/./a"})
    void refusesEntriesThatAreNotInTheManifest(String name) throws IOException {
        write(tar(manifest(entry("a")), Item.file("images/a", CONTENT), Item.file(name, CONTENT)));
        assertRefused("entry \"" + name + "\" is not in the manifest");
    }

    @Test
    void refusesEverythingButPlainFiles() throws IOException {
        Object[][] kinds = {{TarConstants.LF_LINK, "a hard link"}, {TarConstants.LF_SYMLINK, "a symbolic link"}, {TarConstants.LF_CHR, "a device"},
                {TarConstants.LF_BLK, "a device"}, {TarConstants.LF_FIFO, "a FIFO"}, {TarConstants.LF_DIR, "a directory"}};
        for (Object[] kind : kinds) {
            write(tar(manifest(entry("a")), Item.special("images/a", (byte) kind[0], "/etc/passwd")));
            assertRefused("images/a", "is " + kind[1]);
        }
        write(tar(manifest(entry("a")), Item.file("images/" + "a".repeat(200), CONTENT)));
        assertRefused("an extended header");
    }

    @Test
    void refusesWhatTheManifestDoesNotSay() throws IOException {
        write(tar(manifest(entry("a")), Item.file("images/a", "same pages".getBytes(StandardCharsets.US_ASCII))));
        assertRefused("entry images/a has SHA-256", "the manifest says");
        write(tar(manifest(entry("a")), Item.file("images/a", new byte[3])));
        assertRefused("entry images/a has 3 bytes, the manifest says 10");
        write(tar(manifest(entry("a"), entry("b")), Item.file("images/a", CONTENT)));
        assertRefused("b is in the manifest but not in the archive");
        write(tar(manifest(entry("a")), Item.file("images/a", CONTENT), Item.file("images/a", CONTENT)));
        assertRefused("entry images/a is there twice");
        write(tar(manifest(entry("a"), entry("a")), Item.file("images/a", CONTENT)));
        assertRefused("a is there twice");
        write(tar(Item.file("images/a", CONTENT), manifest(entry("a"))));
        assertRefused("its first entry is \"images/a\"");
        write(tar());
        assertRefused("empty archive");
    }

    @Test
    void refusesABrokenManifest() throws IOException {
        for (String json : new String[] {"", "{", "[]", "{\"format\": \"other\"}", "{\"format\": \"process-checkpoint\", \"version\": 2}",
                "{\"format\": \"process-checkpoint\", \"version\": 1}", "[".repeat(5000)}) {
            write(tar(Item.file("manifest.json", json.getBytes(StandardCharsets.US_ASCII))));
            assertRefused("manifest.json");
        }
        Manifest.FileEntry impossible = new Manifest.FileEntry("a", -1, sha256(CONTENT));
        write(tar(manifest(impossible)));
        assertRefused("a has an impossible size or hash");
        write(tar(manifest(new Manifest.FileEntry("a", Long.MAX_VALUE, sha256(CONTENT)), new Manifest.FileEntry("b", Long.MAX_VALUE, sha256(CONTENT)))));
        assertRefused("damaged manifest.json");
    }

    @Test
    void refusesABomb() throws IOException {
        byte[] zeros = new byte[8 << 20];
        Manifest.FileEntry file = new Manifest.FileEntry("a", zeros.length, sha256(zeros));
        write(tar(manifest(file), Item.file("images/a", zeros)));
        assertRefused(new ArchiveLimits(10, 1 << 20, 1_000_000, 1 << 30), "would unpack to 8388608 bytes; at most 1048576");
        assertRefused(new ArchiveLimits(10, 1 << 30, 100, 1 << 20), "a bomb");
        assertRefused(new ArchiveLimits(0, 1 << 30, 100, 1 << 30), "has 1 files; at most 0");
        // One that does not even say so.
        write(tar(manifest(), Item.file("images/a", zeros)));
        assertRefused("is not in the manifest");
        Item huge = Item.file("manifest.json", new byte[Manifest.MAX_SIZE + 1]);
        write(tar(huge));
        assertRefused("manifest.json has 33554433 bytes");
    }

    @Test
    void refusesMoreThanTheDiskHolds() throws IOException {
        write(tar(manifest(new Manifest.FileEntry("a", 1L << 50, sha256(CONTENT)))));
        assertRefused(new ArchiveLimits(10, Long.MAX_VALUE, 1000, 1 << 30), "has room for");
    }

    @Test
    void refusesAnArchiveCutShortAnywhere() throws IOException {
        byte[] whole = Zstd.compress(tar(manifest(entry("a")), Item.file("images/a", CONTENT)));
        for (int length = 0; length < whole.length; length++) {
            Files.write(archive, Arrays.copyOf(whole, length));
            assertRefused();
        }
        byte[] tar = tar(manifest(entry("a")), Item.file("images/a", CONTENT));
        for (int length = 0; length < tar.length - 9 * 1024; length += 256) {
            write(Arrays.copyOf(tar, length));
            assertRefused();
        }
    }

    @Test
    void refusesWhatFollowsTheEnd() throws IOException {
        byte[] tar = tar(manifest(entry("a")), Item.file("images/a", CONTENT));
        byte[] longer = Arrays.copyOf(tar, tar.length + 512);
        longer[longer.length - 1] = 1;
        write(longer);
        assertRefused("something follows the end");
        write(Arrays.copyOf(tar, tar.length + (2 << 20)));
        assertRefused("something follows the end");
        byte[] whole = Zstd.compress(tar);
        for (byte[] tail : new byte[][] {"tail".getBytes(StandardCharsets.US_ASCII), {0}, Zstd.compress(tar)}) {
            ByteArrayOutputStream both = new ByteArrayOutputStream();
            both.writeBytes(whole);
            both.writeBytes(tail);
            Files.write(archive, both.toByteArray());
            assertRefused();
        }
    }

    @Test
    void refusesWhatIsNoArchive() throws IOException {
        for (byte[] content : new byte[][] {"hello".getBytes(StandardCharsets.US_ASCII), new byte[10_000], Arrays.copyOf(tar(manifest()), 1536)}) {
            Files.write(archive, content);
            assertRefused();
        }
        write("hello".getBytes(StandardCharsets.US_ASCII));
        assertRefused("cut short");
        write(new byte[] {});
        assertRefused("cut short");
    }

    @Test
    void noticesEveryFlippedBit() throws IOException {
        Path images = SampleImages.write(directory.resolve("images"));
        Manifest packed = CheckpointPacker.pack(images, archive);
        byte[] whole = Files.readAllBytes(archive);
        // What decoders pass over, behind the manifest, holds nothing.
        int gap = new String(whole, StandardCharsets.ISO_8859_1).indexOf("\u0050\u002a\u004d\u0018");
        int gapEnd = gap + 8 + ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getInt(gap + 4);
        Random random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 1000; i++) {
            int bit = random.nextInt(whole.length * 8);
            if (bit / 8 >= gap && bit / 8 < gapEnd) {
                bit = (gapEnd + random.nextInt(whole.length - gapEnd)) * 8 + bit % 8;
            }
            byte[] damaged = whole.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(archive, damaged);
            try {
                // Some bits only choose one of several ways to say the same: then it must be the same.
                assertThat(CheckpointUnpacker.verify(archive, ArchiveLimits.DEFAULT)).isEqualTo(packed);
            } catch (ArchiveException e) {
                assertThat(e).hasMessageContaining(archive.toString());
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(900);
        try (Stream<Path> files = Files.list(images)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }
}
