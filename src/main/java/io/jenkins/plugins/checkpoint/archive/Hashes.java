// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.LongConsumer;

/** SHA-256 of what streams by. */
final class Hashes {
    private static final int BUFFER = 1 << 18;

    private Hashes() {}

    /**
     * Copies a stream and hashes it.
     *
     * @param in read for {@code length} bytes, not closed
     * @param out gets them
     * @param length how many
     * @param progress told after each buffer how many are done
     * @return the hash in hex, or null if the stream ended early
     */
    static String copy(InputStream in, OutputStream out, long length, LongConsumer progress) throws IOException {
        MessageDigest digest = sha256();
        byte[] buffer = new byte[BUFFER];
        long left = length;
        while (left > 0) {
            int n = in.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (n < 0) {
                return null;
            }
            digest.update(buffer, 0, n);
            out.write(buffer, 0, n);
            left -= n;
            progress.accept(length - left);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
