// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Reads the one kind of tar that checkpoint archives are: ustar headers, plain files, nothing else. Whatever tar has besides (links,
 * devices, directories, long names, sparse files, extended headers) is refused by name, so it needs no handling.
 */
final class StrictTar {
    private static final int BLOCK = 512;
    // tar(1) pads to records of 10 KiB by default, and any blocking factor is possible; more than this is no padding.
    private static final int MAX_PADDING = 1 << 20;

    private final InputStream in;

    /** A file's header. */
    record Entry(String name, long size) {}

    StrictTar(InputStream in) {
        this.in = in;
    }

    /**
     * Reads the next header; the contents of the file before must have been read, and its padding skipped with {@link #skipPadding}.
     *
     * @return the entry, or nothing at the end marker
     * @throws ArchiveException if it is not a plain file's header
     */
    Optional<Entry> next() throws IOException {
        byte[] header = in.readNBytes(BLOCK);
        if (header.length < BLOCK) {
            throw new ArchiveException("cut short: the archive ends without an end marker");
        }
        if (isZero(header)) {
            return Optional.empty();
        }
        checkSum(header);
        String name = text(header, 0, 100);
        if (!text(header, 257, 5).equals("ustar")) {
            throw new ArchiveException("damaged: a header that is not ustar");
        }
        if (!text(header, 345, 155).isEmpty()) {
            throw new ArchiveException("entry \"" + Manifest.printable(name) + "\": names with a prefix are not used in checkpoint archives");
        }
        char type = (char) header[156];
        if (type != '0' && type != 0) {
            throw new ArchiveException("entry \"" + Manifest.printable(name) + "\" is " + kind(type) + "; checkpoint archives hold only plain files");
        }
        return Optional.of(new Entry(name, number(header, 124, 12)));
    }

    /** Skips what fills the last block of a file. */
    void skipPadding(long size) throws IOException {
        int rest = (int) ((BLOCK - size % BLOCK) % BLOCK);
        if (in.readNBytes(rest).length < rest) {
            throw new ArchiveException("cut short");
        }
    }

    /** Reads to the end of the stream after the end marker: only zeros may come. */
    void expectEnd() throws IOException {
        byte[] buffer = new byte[BLOCK];
        long seen = 0;
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            seen += n;
            for (int i = 0; i < n; i++) {
                if (buffer[i] != 0 || seen > MAX_PADDING) {
                    throw new ArchiveException("something follows the end of the archive");
                }
            }
        }
        if (seen < BLOCK) {
            throw new ArchiveException("cut short: the end marker is not whole");
        }
    }

    private static boolean isZero(byte[] block) {
        for (byte b : block) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    // Sum of all bytes with the checksum's own field as blanks (tar(5)).
    private static void checkSum(byte[] header) throws ArchiveException {
        long sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            sum += i >= 148 && i < 156 ? ' ' : header[i] & 0xff;
        }
        if (sum != number(header, 148, 8)) {
            throw new ArchiveException("damaged: a tar header with a wrong checksum");
        }
    }

    private static String text(byte[] header, int from, int length) {
        int end = from;
        while (end < from + length && header[end] != 0) {
            end++;
        }
        return new String(header, from, end - from, StandardCharsets.ISO_8859_1);
    }

    // Octal digits, or from 8 GiB on the binary form that the top bit marks.
    private static long number(byte[] header, int from, int length) throws ArchiveException {
        if ((header[from] & 0x80) != 0) {
            long value = 0;
            for (int i = from + 1; i < from + length; i++) {
                if (value >> 54 != 0) {
                    throw new ArchiveException("damaged: a size out of range");
                }
                value = value << 8 | header[i] & 0xff;
            }
            if (header[from] != (byte) 0x80) {
                throw new ArchiveException("damaged: a negative size");
            }
            return value;
        }
        String digits = text(header, from, length).strip();
        if (!digits.matches("[0-7]{1,12}")) {
            throw new ArchiveException("damaged: a tar header with a number that is none");
        }
        return Long.parseLong(digits, 8);
    }

    private static String kind(char type) {
        return switch (type) {
            case '1' -> "a hard link";
            case '2' -> "a symbolic link";
            case '3', '4' -> "a device";
            case '5' -> "a directory";
            case '6' -> "a FIFO";
            case 'x', 'g' -> "an extended header";
            case 'L', 'K' -> "a long name";
            case 'S' -> "a sparse file";
            default -> "of an unknown type";
        };
    }
}
