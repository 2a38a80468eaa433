// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Files of the workspace that travel with the processes: {@code workspace.tar} in the images directory. Plain files only. */
final class WorkspaceFiles {
    static final String FILE = "workspace.tar";
    private static final int MAX_FILES = 1_000_000;

    private WorkspaceFiles() {}

    /**
     * Packs files, as they are now: the processes that write them should stand still.
     *
     * @param workspace where from
     * @param includes which
     * @param excludes which not
     * @param archive the file to make
     * @return how many
     */
    static int pack(Path workspace, AntPattern includes, AntPattern excludes, Path archive) throws IOException {
        int count = 0;
        try (OutputStream out = Files.newOutputStream(archive, StandardOpenOption.CREATE_NEW);
                TarArchiveOutputStream tar = new TarArchiveOutputStream(out, StandardCharsets.UTF_8.name());
                Stream<Path> files = Files.walk(workspace)) {
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = workspace.relativize(file).toString();
                if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || !includes.matches(name) || excludes.matches(name)) {
                    continue;
                }
                TarArchiveEntry entry = new TarArchiveEntry(name);
                entry.setSize(Files.size(file));
                entry.setMode(mode(Files.getPosixFilePermissions(file)));
                entry.setModTime(Files.getLastModifiedTime(file));
                tar.putArchiveEntry(entry);
                try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
                    copy(in, tar, entry.getSize());
                }
                tar.closeArchiveEntry();
                count++;
            }
        }
        return count;
    }

    // A log that grows meanwhile: its size at the start is what counts.
    private static void copy(InputStream in, OutputStream out, long size) throws IOException {
        byte[] buffer = new byte[1 << 16];
        for (long left = size; left > 0;) {
            int n = in.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (n < 0) {
                throw new AgentException("a workspace file became shorter while it was being packed; exclude it, or stop what writes it");
            }
            out.write(buffer, 0, n);
            left -= n;
        }
    }

    /**
     * Puts the files back. Each appears whole or not at all; nothing outside of the workspace is touched, whatever the archive says.
     *
     * @param archive the file
     * @param workspace where to
     * @return how many
     * @throws AgentException if it holds anything but plain files inside the workspace
     */
    static int unpack(Path archive, Path workspace) throws IOException {
        int count = 0;
        Path root = workspace.toRealPath();
        try (TarArchiveInputStream tar = new TarArchiveInputStream(Files.newInputStream(archive), StandardCharsets.UTF_8.name())) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path relative = Path.of(entry.getName());
                if (!entry.isFile() || entry.isSymbolicLink() || entry.isLink() || relative.isAbsolute() || !relative.normalize().equals(relative)
                        || relative.startsWith("..") || entry.getName().isEmpty()) {
                    throw new AgentException("hostile archive: " + FILE + " has an entry that is no plain file inside the workspace");
                }
                if (++count > MAX_FILES) {
                    throw new AgentException(FILE + " has more than " + MAX_FILES + " files");
                }
                Path target = root.resolve(relative);
                Files.createDirectories(target.getParent());
                // A symbolic link in the workspace must not lead the file out of it.
                if (!target.getParent().toRealPath().startsWith(root)) {
                    throw new AgentException("workspace file " + relative + " would go through a symbolic link to outside of " + root + "; remove the link");
                }
                Path temporary = Files.createTempFile(target.getParent(), ".checkpoint-", ".part");
                try {
                    Files.copy(tar, temporary, StandardCopyOption.REPLACE_EXISTING);
                    Files.setPosixFilePermissions(temporary, permissions(entry.getMode()));
                    Files.setLastModifiedTime(temporary, FileTime.from(entry.getLastModifiedTime().toInstant()));
                    Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                } finally {
                    Files.deleteIfExists(temporary);
                }
            }
        }
        return count;
    }

    private static int mode(Set<PosixFilePermission> permissions) {
        int mode = 0;
        for (PosixFilePermission permission : permissions) {
            mode |= 0400 >> permission.ordinal();
        }
        return mode;
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        for (PosixFilePermission permission : PosixFilePermission.values()) {
            if ((mode & 0400 >> permission.ordinal()) != 0) {
                permissions.add(permission);
            }
        }
        return permissions;
    }
}
