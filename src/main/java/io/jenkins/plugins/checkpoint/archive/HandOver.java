// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Lets a second thread write what the first one hands over, so that hashing and compressing, or decompressing and hashing, go on at the
 * same time. It holds a few buffers at the most.
 */
final class HandOver extends OutputStream {
    private static final int BUFFER = 1 << 18;
    private static final int BUFFERS = 8;
    private static final Buffer END = new Buffer(null, 0);

    private final OutputStream out;
    private final BlockingQueue<Buffer> filled = new ArrayBlockingQueue<>(BUFFERS);
    private final BlockingQueue<byte[]> free = new ArrayBlockingQueue<>(BUFFERS);
    private final Thread writer;
    private volatile Throwable failure;
    private byte[] current;
    private int used;
    private boolean closed;

    private record Buffer(byte[] bytes, int length) {}

    /** out: written to, and closed, by the second thread. */
    HandOver(OutputStream out, String name) {
        this.out = out;
        for (int i = 0; i < BUFFERS - 1; i++) {
            free.add(new byte[BUFFER]);
        }
        current = new byte[BUFFER];
        writer = new Thread(this::writeAll, name);
        writer.setDaemon(true);
        writer.start();
    }

    // After a failure it goes on taking buffers, so that the first thread never waits for nobody.
    private void writeAll() {
        try {
            for (Buffer next = filled.take(); next != END; next = filled.take()) {
                if (failure == null) {
                    try {
                        out.write(next.bytes, 0, next.length);
                    } catch (IOException | RuntimeException | Error e) {
                        failure = e;
                    }
                }
                free.put(next.bytes);
            }
        } catch (InterruptedException e) {
            failure = e;
        } finally {
            try {
                out.close();
            } catch (IOException | RuntimeException | Error e) {
                failure = failure == null ? e : failure;
            }
        }
    }

    private void pass() throws IOException {
        check();
        try {
            filled.put(new Buffer(current, used));
            current = free.take();
        } catch (InterruptedException e) {
            throw interrupted();
        }
        used = 0;
    }

    private void check() throws IOException {
        Throwable e = failure;
        if (e instanceof IOException io) {
            throw io;
        }
        if (e != null) {
            throw new IOException(e.toString(), e);
        }
    }

    private static IOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted");
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
        int at = from;
        while (at < from + length) {
            int n = Math.min(BUFFER - used, from + length - at);
            System.arraycopy(bytes, at, current, used, n);
            used += n;
            at += n;
            if (used == BUFFER) {
                pass();
            }
        }
    }

    /** Waits until all is written and the stream behind it is closed; throws what went wrong there. */
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (used > 0) {
                filled.put(new Buffer(current, used));
            }
            filled.put(END);
            writer.join();
        } catch (InterruptedException e) {
            writer.interrupt();
            throw interrupted();
        }
        check();
    }
}
