// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.fd_types;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.file_entry;
import io.jenkins.plugins.checkpoint.image.proto.FileLockProto.file_lock_entry;
import io.jenkins.plugins.checkpoint.image.proto.MemfdProto.memfd_inode_entry;
import io.jenkins.plugins.checkpoint.image.proto.RemapFilePathProto.remap_file_path_entry;
import io.jenkins.plugins.checkpoint.image.proto.TtyProto.tty_info_entry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The open files of a checkpoint: files.img, and the images that tell more of some kinds. */
final class FileTable {
    /** Most files, and most descriptors, of a checkpoint: what nr_open allows one process. */
    static final int MAX_FILES = 1 << 20;

    private final Path directory;
    private final Map<Integer, file_entry> files = new LinkedHashMap<>();
    private final Map<Integer, tty_info_entry> terminals = new HashMap<>();
    private final Map<Integer, memfd_inode_entry> memfds = new HashMap<>();
    private final Set<Integer> nameless = new HashSet<>();
    private boolean locks;

    private interface Taker<T> {
        void take(T entry);
    }

    private FileTable(Path directory) {
        this.directory = directory;
    }

    /**
     * Reads all of them.
     *
     * @param directory an images directory
     * @return its files; none where the images are missing, as for a tree of zombies
     * @throws IOException if an image is damaged
     */
    static FileTable read(Path directory) throws IOException {
        FileTable table = new FileTable(directory);
        // An id is unique over all kinds.
        table.each("files.img", ImageKind.FILES, file_entry.parser(), entry -> table.files.put(entry.getId(), entry));
        table.each("tty-info.img", ImageKind.TTY_INFO, tty_info_entry.parser(), entry -> table.terminals.put(entry.getId(), entry));
        table.each("memfd.img", ImageKind.MEMFD, memfd_inode_entry.parser(), entry -> table.memfds.put((int) entry.getInodeId(), entry));
        table.each("remap-fpath.img", ImageKind.REMAP, remap_file_path_entry.parser(), entry -> table.nameless.add(entry.getOrigId()));
        table.each("filelocks.img", ImageKind.FILE_LOCKS, file_lock_entry.parser(), entry -> table.locks = true);
        return table;
    }

    private <T extends MessageLite> void each(String name, ImageKind kind, Parser<T> parser, Taker<T> taker) throws IOException {
        Path path = directory.resolve(name);
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (ImageFile file = ImageFile.open(path, kind)) {
            int count = 0;
            for (Optional<T> next = file.next(parser); next.isPresent(); next = file.next(parser)) {
                if (++count > MAX_FILES) {
                    throw new ImageException(path, "more than " + MAX_FILES + " entries");
                }
                taker.take(next.get());
            }
        }
    }

    /** The file with this number, or null. */
    file_entry get(int id) {
        return files.get(id);
    }

    /** All files. */
    Iterable<file_entry> all() {
        return files.values();
    }

    /** A regular file's path; empty if that number is no regular file's. */
    String path(int id) {
        file_entry entry = files.get(id);
        return entry == null || entry.getType() != fd_types.REG ? "" : entry.getReg().getName();
    }

    /** What terminal a file of kind TTY is, or null. */
    tty_info_entry terminal(file_entry entry) {
        return terminals.get(entry.getTty().getTtyInfoId());
    }

    /** What memfd a file of kind MEMFD is, or null. */
    memfd_inode_entry memfd(file_entry entry) {
        return memfds.get(entry.getMemfd().getInodeId());
    }

    /** Whether a regular file has lost its name, so that the images hold what is needed of it. */
    boolean isNameless(int id) {
        return nameless.contains(id);
    }

    /** Whether there are file locks. */
    boolean hasLocks() {
        return locks;
    }
}
