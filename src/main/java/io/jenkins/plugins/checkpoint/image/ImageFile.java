// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * An image file opened for reading: u32 magics, then entries, each a u32 size and a protobuf message; little-endian.
 */
public final class ImageFile implements Closeable {
    /** Longest entry taken, in bytes. The largest real ones are address spaces: some 60 bytes for each of at most 65530 mappings. */
    public static final int MAX_ENTRY = 16 << 20;

    private final Path path;
    private final InputStream in;

    private ImageFile(Path path, InputStream in) {
        this.path = path;
        this.in = in;
    }

    /**
     * Opens a file and checks its magic numbers.
     *
     * @param path the file; not followed if it is a symbolic link
     * @param kind what it must be
     * @return the file, before its first entry
     * @throws ImageException if it is missing, not a plain file, or of another kind
     * @throws IOException if it cannot be read
     */
    public static ImageFile open(Path path, ImageKind kind) throws IOException {
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new ImageException(path, Files.exists(path, LinkOption.NOFOLLOW_LINKS) ? "not a plain file" : "missing");
        }
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            throw new ImageException(path, "missing");
        }
        ImageFile file = new ImageFile(path, new BufferedInputStream(Channels.newInputStream(channel), 1 << 16));
        try {
            if (kind.family() != 0) {
                file.expect(kind.family(), kind);
            }
            file.expect(kind.magic(), kind);
        } catch (IOException e) {
            file.close();
            throw e;
        }
        return file;
    }

    private void expect(int magic, ImageKind kind) throws IOException {
        int found = number().orElseThrow(() -> new ImageException(path, "empty or cut short: no magic number"));
        if (found != magic) {
            throw new ImageException(path, String.format("not a %s image: magic 0x%08x, expected 0x%08x", kind, found, magic));
        }
    }

    /**
     * Reads the next entry.
     *
     * @param <T> its type
     * @param parser of that type
     * @return the entry, or nothing at the end of the file
     * @throws ImageException if the file is cut short or the entry is not of that type
     * @throws IOException if it cannot be read
     */
    public <T extends MessageLite> Optional<T> next(Parser<T> parser) throws IOException {
        Optional<Integer> size = number();
        if (size.isEmpty()) {
            return Optional.empty();
        }
        if (size.get() < 0 || size.get() > MAX_ENTRY) {
            throw new ImageException(path, "an entry of " + Integer.toUnsignedString(size.get()) + " bytes; at most " + MAX_ENTRY + " are taken");
        }
        // readNBytes grows with what is there: a size that lies costs no memory.
        byte[] entry = in.readNBytes(size.get());
        if (entry.length < size.get()) {
            throw new ImageException(path, "cut short: an entry of " + size.get() + " bytes has only " + entry.length);
        }
        try {
            return Optional.of(parser.parseFrom(entry));
        } catch (InvalidProtocolBufferException e) {
            throw new ImageException(path, "damaged entry: " + e.getMessage());
        }
    }

    /**
     * Reads the only entry, or the first of many.
     *
     * @param <T> its type
     * @param parser of that type
     * @return the entry
     * @throws ImageException if there is none
     * @throws IOException if it cannot be read
     */
    public <T extends MessageLite> T first(Parser<T> parser) throws IOException {
        return next(parser).orElseThrow(() -> new ImageException(path, "has no entry"));
    }

    private Optional<Integer> number() throws IOException {
        byte[] bytes = in.readNBytes(4);
        if (bytes.length == 0) {
            return Optional.empty();
        }
        if (bytes.length < 4) {
            throw new ImageException(path, "cut short");
        }
        return Optional.of(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt());
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
