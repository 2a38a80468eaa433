// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.util.Collection;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * How to pack.
 *
 * @param compression of the archive
 * @param secrets values that the manifest must not show, beside what looks like a secret; the images keep what they hold
 * @param progress told how many bytes of the images are done, from time to time, by the thread that packs
 */
public record PackOptions(Compression compression, Collection<String> secrets, LongConsumer progress) {
    /** zstd, no secrets, nobody to tell. */
    public static final PackOptions DEFAULT = new PackOptions(Compression.DEFAULT, List.of(), done -> { });

    /**
     * The same with another compression.
     *
     * @param other the compression
     * @return new options
     */
    public PackOptions withCompression(Compression other) {
        return new PackOptions(other, secrets, progress);
    }

    /**
     * The same with secrets.
     *
     * @param values what the manifest must not show
     * @return new options
     */
    public PackOptions withSecrets(Collection<String> values) {
        return new PackOptions(compression, values, progress);
    }

    /**
     * The same with somebody to tell.
     *
     * @param listener gets the number of bytes done
     * @return new options
     */
    public PackOptions withProgress(LongConsumer listener) {
        return new PackOptions(compression, secrets, listener);
    }
}
