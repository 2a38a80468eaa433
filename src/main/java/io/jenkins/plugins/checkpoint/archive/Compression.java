// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import com.github.luben.zstd.ZstdInputStream;
import com.github.luben.zstd.ZstdOutputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import net.jpountz.lz4.LZ4FrameInputStream;
import net.jpountz.lz4.LZ4FrameOutputStream;

/**
 * How an archive is compressed. What is read is recognised by its first bytes, whatever it was called.
 *
 * @param method the format
 * @param level of zstd, from -7 (fast) to 19 (small); 0 for the others
 */
public record Compression(Method method, int level) {
    /** zstd at a level that costs about as much time as the disk: higher ones win a few percent of size on process memory. */
    public static final Compression DEFAULT = new Compression(Method.ZSTD, 1);

    /** Bytes of a skippable frame's header: the least that room left over takes. */
    static final int SKIPPABLE_HEADER = 8;

    private static final int MIN_LEVEL = -7;
    private static final int MAX_LEVEL = 19;
    // Frames that a decoder passes over: the same in both formats (RFC 8878, 3.1.2; the LZ4 frame format).
    private static final int SKIPPABLE_MAGIC = 0x184d2a50;
    private static final int ZSTD_MAGIC = 0xfd2fb528;
    private static final int LZ4_MAGIC = 0x184d2204;
    private static final int WINDOW_LOG = 27; // the most that is read
    // How far back repeats are found, across processes that share much; memory of that size is taken.
    private static final int LONG_LOG = 26;

    /** The formats. */
    public enum Method {
        /** Zstandard, on all cores. */
        ZSTD,
        /** LZ4 frames: faster, larger. */
        LZ4,
        /** A plain tar. */
        NONE
    }

    /**
     * Reads what a user gives.
     *
     * @param text {@code zstd}, {@code zstd:LEVEL}, {@code lz4} or {@code none}
     * @return the compression
     * @throws IllegalArgumentException if it is something else, with a message for the user
     */
    public static Compression parse(String text) {
        String[] parts = text.strip().toLowerCase(Locale.ROOT).split(":", 2);
        if (parts.length == 1) {
            switch (parts[0]) {
                case "zstd":
                    return DEFAULT;
                case "lz4":
                    return new Compression(Method.LZ4, 0);
                case "none":
                    return new Compression(Method.NONE, 0);
                default:
            }
        } else if (parts[0].equals("zstd") && parts[1].matches("-?[0-9]{1,2}")) {
            int level = Integer.parseInt(parts[1]);
            if (level >= MIN_LEVEL && level <= MAX_LEVEL) {
                return new Compression(Method.ZSTD, level);
            }
        }
        throw new IllegalArgumentException("compression \"" + Manifest.printable(text) + "\": there are zstd, zstd:LEVEL (" + MIN_LEVEL + " to " + MAX_LEVEL
                + "), lz4 and none");
    }

    /**
     * Gives the usual end of an archive's name.
     *
     * @return {@code .tar.zst}, {@code .tar.lz4} or {@code .tar}
     */
    public String suffix() {
        return switch (method) {
            case ZSTD -> ".tar.zst";
            case LZ4 -> ".tar.lz4";
            case NONE -> ".tar";
        };
    }

    @Override
    public String toString() {
        return method.name().toLowerCase(Locale.ROOT) + (method == Method.ZSTD && level != DEFAULT.level ? ":" + level : "");
    }

    /** Compresses into a stream; closing ends the frame and closes the stream. workers: threads beside the caller's, one at most for LZ4.
     * repeats: look for long ones far back, which only zstd can. */
    OutputStream compress(OutputStream out, int workers, boolean repeats) throws IOException {
        return switch (method) {
            case ZSTD -> {
                ZstdOutputStream zstd = new ZstdOutputStream(out, level);
                zstd.setChecksum(true);
                zstd.setWorkers(workers);
                if (repeats) {
                    zstd.setLong(LONG_LOG);
                }
                yield zstd;
            }
            case LZ4 -> workers == 0 ? lz4(out) : new HandOver(lz4(out), "checkpoint archive compressor");
            case NONE -> out;
        };
    }

    // Blocks that stay in the processor's cache.
    private static OutputStream lz4(OutputStream out) throws IOException {
        return new LZ4FrameOutputStream(out, LZ4FrameOutputStream.BLOCKSIZE.SIZE_256KB, LZ4FrameOutputStream.FLG.Bits.BLOCK_INDEPENDENCE,
                LZ4FrameOutputStream.FLG.Bits.CONTENT_CHECKSUM);
    }

    /** The header of a frame that decoders pass over. size: bytes in it. */
    static byte[] skippable(int size) {
        return ByteBuffer.allocate(SKIPPABLE_HEADER).order(ByteOrder.LITTLE_ENDIAN).putInt(SKIPPABLE_MAGIC).putInt(size).array();
    }

    /** Opens what was compressed. in: must have mark. Returns the stream as it is when it is neither of the two. */
    static InputStream decompress(BufferedInputStream in) throws IOException {
        in.mark(4);
        byte[] start = in.readNBytes(4);
        in.reset();
        int magic = start.length < 4 ? 0 : ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getInt();
        switch (magic) {
            case ZSTD_MAGIC:
                ZstdInputStream zstd = new ZstdInputStream(in);
                zstd.setLongMax(WINDOW_LOG);
                return zstd;
            case LZ4_MAGIC:
                return new LZ4FrameInputStream(in);
            default:
                return in;
        }
    }
}
