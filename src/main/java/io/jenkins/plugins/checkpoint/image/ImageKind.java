// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

/** The kinds of image files that are read here, with their magic numbers (CRIU's image format, 4.2). */
public enum ImageKind {
    /** inventory.img: what the directory is. It alone has no common magic in front. */
    INVENTORY(0x58313116, 0),
    /** pstree.img: one entry for each process. */
    PSTREE(0x50273030, ImageKind.COMMON),
    /** core-PID.img: registers and what a task is; one for each thread. */
    CORE(0x55053847, ImageKind.COMMON),
    /** ids-PID.img: which kernel objects tasks share. */
    IDS(0x54432030, ImageKind.COMMON),
    /** mm-PID.img: the address space. */
    MM(0x57492820, ImageKind.COMMON),
    /** pagemap-PID.img: which pages are in pages-ID.img. */
    PAGEMAP(0x56084025, ImageKind.COMMON),
    /** fdinfo-ID.img: a descriptor table. */
    FDINFO(0x56213732, ImageKind.COMMON),
    /** files.img: open files of all kinds. */
    FILES(0x56303138, ImageKind.COMMON),
    /** fs-PID.img: root, working directory, umask. */
    FS(0x51403912, ImageKind.COMMON),
    /** memfd.img: memfds, by inode. */
    MEMFD(0x48453499, ImageKind.COMMON),
    /** tty-info.img: terminals. */
    TTY_INFO(0x59453036, ImageKind.COMMON),
    /** remap-fpath.img: files whose names are gone. */
    REMAP(0x59133954, ImageKind.COMMON),
    /** filelocks.img: file locks. */
    FILE_LOCKS(0x54323616, ImageKind.COMMON),
    /** stats-dump, stats-restore: times and counts. */
    STATS(0x57093306, ImageKind.SERVICE);

    private static final int COMMON = 0x54564319;
    private static final int SERVICE = 0x55105940;

    private final int magic;
    private final int family;

    ImageKind(int magic, int family) {
        this.magic = magic;
        this.family = family;
    }

    int magic() {
        return magic;
    }

    /** The magic in front of the kind's own; 0 for none. */
    int family() {
        return family;
    }
}
