// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.junit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/**
 * The one request that this library sends, and its answer, in protobuf's bytes: {@code criu_req {type = 1, opts = 2}},
 * {@code criu_resp {success = 2, dump = 3 {restored = 1}, cr_errmsg = 9}}. No protobuf library: a test has one of its own, or none.
 */
final class SelfDump {
    private static final int TYPE_DUMP = 1;
    // Fields of criu_opts.
    private static final int IMAGES_DIR_FD = 1;
    private static final int LEAVE_RUNNING = 3;
    private static final int SHELL_JOB = 7;
    private static final int LOG_FILE = 10;
    private static final int IMAGES_DIR = 68;

    private SelfDump() {}

    /**
     * Asks for a dump of whoever sends this, into a directory, without ending it.
     *
     * @param images the directory's absolute path; no descriptor, which would be part of what is dumped and bind the restore to the place
     * @param options what is allowed beyond the ordinary
     * @return a criu_req
     */
    static byte[] request(String images, Set<CheckpointOption> options) {
        ByteArrayOutputStream opts = new ByteArrayOutputStream();
        number(opts, IMAGES_DIR_FD, -1);
        number(opts, LEAVE_RUNNING, 1);
        number(opts, SHELL_JOB, 1);
        for (CheckpointOption option : options) {
            number(opts, option.field(), 1);
        }
        bytes(opts, LOG_FILE, "dump.log".getBytes(StandardCharsets.US_ASCII));
        bytes(opts, IMAGES_DIR, images.getBytes(StandardCharsets.UTF_8));
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        number(request, 1, TYPE_DUMP);
        bytes(request, 2, opts.toByteArray());
        return request.toByteArray();
    }

    private static void number(ByteArrayOutputStream out, int field, long value) {
        varint(out, (long) field << 3);
        varint(out, value);
    }

    private static void bytes(ByteArrayOutputStream out, int field, byte[] value) {
        varint(out, (long) field << 3 | 2);
        varint(out, value.length);
        out.writeBytes(value);
    }

    private static void varint(ByteArrayOutputStream out, long value) {
        long rest = value;
        for (; (rest & ~0x7fL) != 0; rest >>>= 7) {
            out.write((int) (rest & 0x7f | 0x80));
        }
        out.write((int) rest);
    }

    /**
     * The answer.
     *
     * @param success whether the dump was made
     * @param restored whether this is the restored copy
     * @param message why not; empty if the service does not say
     */
    record Response(boolean success, boolean restored, String message) {
        /**
         * Decodes a criu_resp.
         *
         * @throws IOException if the bytes are none
         */
        static Response of(byte[] message) throws IOException {
            boolean success = false;
            boolean restored = false;
            String text = "";
            Reader reader = new Reader(message, 0, message.length);
            while (reader.next()) {
                if (reader.field == 2) {
                    success = reader.value != 0;
                } else if (reader.field == 3) {
                    Reader dump = new Reader(message, reader.start, reader.end);
                    while (dump.next()) {
                        restored |= dump.field == 1 && dump.value != 0;
                    }
                } else if (reader.field == 9) {
                    text = new String(message, reader.start, reader.end - reader.start, StandardCharsets.UTF_8);
                }
            }
            return new Response(success, restored, text);
        }
    }

    /** Walks over the fields of a message: numbers in {@code value}, all else from {@code start} to {@code end}. */
    private static final class Reader {
        private final byte[] message;
        private final int limit;
        private int at;
        private int field;
        private long value;
        private int start;
        private int end;

        Reader(byte[] message, int at, int limit) {
            this.message = message;
            this.at = at;
            this.limit = limit;
        }

        boolean next() throws IOException {
            if (at >= limit) {
                return false;
            }
            long key = varint();
            field = (int) (key >>> 3);
            value = varint();
            if ((key & 7) == 2) {
                if (value < 0 || value > limit - at) {
                    throw new IOException("the service's answer is no criu_resp");
                }
                start = at;
                at += (int) value;
                end = at;
            } else if ((key & 7) != 0) {
                throw new IOException("the service's answer is no criu_resp");
            }
            return true;
        }

        private long varint() throws IOException {
            long number = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                if (at >= limit) {
                    break;
                }
                byte b = message[at++];
                number |= (long) (b & 0x7f) << shift;
                if (b >= 0) {
                    return number;
                }
            }
            throw new IOException("the service's answer is no criu_resp");
        }
    }
}
