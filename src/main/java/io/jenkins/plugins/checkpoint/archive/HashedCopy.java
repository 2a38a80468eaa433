// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;

/** Copies, and hashes what it copies (SHA-256) in a thread of its own. It holds a few buffers at the most. */
final class HashedCopy implements Closeable {
    // A few of them stay in the processor's cache from the reading to the hashing.
    private static final int SIZE = 1 << 18;
    private static final int COUNT = 4;
    private static final long MORE = 16 << 20;

    private final BlockingQueue<Chunk> free = new ArrayBlockingQueue<>(COUNT);
    private final MessageDigest digest = Hashes.sha256(); // the hashing thread's
    private final ExecutorService hashing = Executors.newSingleThreadExecutor(work -> {
        Thread thread = new Thread(work, "checkpoint archive hashes");
        thread.setDaemon(true);
        return thread;
    });

    /** Free again when both the hash and the copy have it. */
    private static final class Chunk {
        private final byte[] bytes = new byte[SIZE];
        private final AtomicInteger users = new AtomicInteger();
    }

    HashedCopy() {
        for (int i = 0; i < COUNT; i++) {
            free.add(new Chunk());
        }
    }

    /**
     * Copies a whole stream.
     *
     * @param in read for {@code length} bytes, not closed
     * @param out gets them
     * @param length how many
     * @param progress told after each buffer how many are done
     * @return the hash in hex, or null if the stream ended early
     */
    String copy(InputStream in, OutputStream out, long length, LongConsumer progress) throws IOException {
        long n = copyUpTo(in, out, length, progress);
        String hash = hash();
        return n < length ? null : hash;
    }

    /** Copies what a stream has, up to some MiB, as a part of what is hashed next. Returns the number of bytes, 0 at the stream's end. */
    long more(InputStream in, OutputStream out, LongConsumer progress) throws IOException {
        return copyUpTo(in, out, MORE, progress);
    }

    private long copyUpTo(InputStream in, OutputStream out, long limit, LongConsumer progress) throws IOException {
        long done = 0;
        while (done < limit) {
            Chunk chunk = take();
            int n;
            try {
                n = in.read(chunk.bytes, 0, (int) Math.min(SIZE, limit - done));
            } catch (IOException e) {
                free.add(chunk);
                throw e;
            }
            if (n <= 0) {
                free.add(chunk);
                return done;
            }
            chunk.users.set(2);
            hashing.execute(() -> {
                digest.update(chunk.bytes, 0, n);
                release(chunk);
            });
            try {
                out.write(chunk.bytes, 0, n);
            } finally {
                release(chunk);
            }
            done += n;
            progress.accept(done);
        }
        return done;
    }

    /** The hash, in hex, of all that was copied since the last one. */
    String hash() throws IOException {
        try {
            return hashing.submit(() -> HexFormat.of().formatHex(digest.digest())).get();
        } catch (InterruptedException e) {
            throw interrupted();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause().toString(), e);
        }
    }

    private Chunk take() throws IOException {
        try {
            return free.take();
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    private void release(Chunk chunk) {
        if (chunk.users.decrementAndGet() == 0) {
            free.add(chunk);
        }
    }

    private static IOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted");
    }

    @Override
    public void close() {
        hashing.shutdownNow();
    }
}
