// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.junit;

/** What a checkpoint allows beyond the ordinary; CRIU's options of the same names (criu(8)), to be given at the restore as well. */
public enum CheckpointOption {
    /** TCP connections are kept; takes CAP_NET_ADMIN. */
    TCP_ESTABLISHED(5),
    /** TCP connections are closed in the restored copy. */
    TCP_CLOSE(52),
    /** Unix sockets may be connected to processes outside. */
    EXT_UNIX_SK(4),
    /** File locks are kept. */
    FILE_LOCKS(8),
    /** Deleted files may have other names. */
    LINK_REMAP(18);

    private final int field;

    CheckpointOption(int field) {
        this.field = field;
    }

    /** The number of the field in criu_opts. */
    int field() {
        return field;
    }
}
