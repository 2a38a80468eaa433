// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.util.List;

/**
 * A mapping of an address space.
 *
 * @param start first address
 * @param end address after the last
 * @param kind what it is for
 * @param permissions as /proc/PID/maps shows them, such as {@code rw-p}
 * @param name path of the file, or another name; empty for none
 * @param offset where in the file it begins, in bytes
 * @param stored bytes of it in this checkpoint's pages; the rest is zero, never touched, or as in the file
 * @param inParent bytes of it in an earlier dump's pages
 * @param object number of the shared memory object that it shows, 0 for none: the bytes of such are the object's, and counted once
 * @param flags such as {@code locked}, {@code nohugepage}
 */
public record Mapping(long start, long end, MappingKind kind, String permissions, String name, long offset, long stored, long inParent, long object,
        List<String> flags) {
    /**
     * Its extent.
     *
     * @return bytes
     */
    public long size() {
        return end - start;
    }
}
