// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.fd_types;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.file_entry;
import io.jenkins.plugins.checkpoint.image.proto.MemfdProto.memfd_inode_entry;
import io.jenkins.plugins.checkpoint.image.proto.MmProto.mm_entry;
import io.jenkins.plugins.checkpoint.image.proto.VmaProto.vma_entry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;

/** Makes mappings of an address space's image, and keeps count of the memory that several of them share. */
final class MappingReader {
    // vma_entry.status: bits as crit(1) names them.
    private static final int HEAP = 1 << 5;
    private static final int FILE_PRIVATE = 1 << 6;
    private static final int FILE_SHARED = 1 << 7;
    private static final int ANON_SHARED = 1 << 8;
    private static final int SYSVIPC = 1 << 10;
    private static final int MEMFD = 1 << 14;
    private static final int STACK = 1 << 1;
    // VSYSCALL, VDSO, SOCKET, VVAR, AIORING.
    private static final int KERNEL = 1 << 2 | 1 << 3 | 1 << 11 | 1 << 12 | 1 << 13;
    private static final int VDSO = 1 << 3;
    private static final int VVAR = 1 << 12;
    private static final int AIORING = 1 << 13;
    // linux/mman.h
    private static final int MAP_SHARED = 1;
    private static final int MAP_GROWSDOWN = 0x100;
    private static final Map<Integer, String> MAP_FLAGS = Map.of(0x2000, "locked", 0x4000, "noreserve", 0x40000, "hugetlb");
    // madvise(2): bit N of vma_entry.madv is advice N.
    private static final Map<Integer, String> ADVICE = Map.of(10, "dontfork", 12, "mergeable", 14, "hugepage", 15, "nohugepage", 16, "dontdump",
            18, "wipeonfork");

    private final Path directory;
    private final FileTable files;
    private final Map<Long, Optional<PageStore>> objects = new HashMap<>();

    MappingReader(Path directory, FileTable files) {
        this.directory = directory;
        this.files = files;
    }

    /**
     * Reads the mappings of a process.
     *
     * @param mm its address space
     * @param pages its pages
     * @param pid the process, for errors
     * @return its mappings by address, without [vsyscall], which lies in the kernel's half and belongs to nobody
     * @throws IOException if the mappings are impossible, or images of shared memory damaged
     */
    List<Mapping> read(mm_entry mm, PageStore pages, int pid) throws IOException {
        List<Mapping> mappings = new ArrayList<>();
        long last = 0;
        for (vma_entry vma : mm.getVmasList()) {
            if (vma.getStart() < 0) {
                continue;
            }
            if (vma.getEnd() <= vma.getStart() || vma.getEnd() > PageStore.MAX_ADDRESS || vma.getStart() < last) {
                throw new ImageException(directory.resolve("mm-" + pid + ".img"), String.format(
                        vma.getStart() < last ? "the mapping from 0x%x to 0x%x overlaps the one before it" : "a mapping from 0x%x to 0x%x",
                        vma.getStart(), vma.getEnd()));
            }
            last = vma.getEnd();
            mappings.add(read(vma, pages));
        }
        return mappings;
    }

    private Mapping read(vma_entry vma, PageStore pages) throws IOException {
        int status = vma.getStatus();
        file_entry file = (status & (FILE_PRIVATE | FILE_SHARED)) != 0 ? files.get((int) vma.getShmid()) : null;
        memfd_inode_entry memfd = file != null && file.getType() == fd_types.MEMFD ? files.memfd(file) : null;
        long object = 0;
        if ((status & (ANON_SHARED | SYSVIPC)) != 0) {
            object = vma.getShmid();
        } else if (memfd != null && (vma.getFlags() & MAP_SHARED) != 0) {
            object = Integer.toUnsignedLong(memfd.getShmid());
        }
        long stored = pages.storedBytes(vma.getStart(), vma.getEnd());
        long inParent = pages.parentBytes(vma.getStart(), vma.getEnd());
        if (object != 0) {
            Optional<PageStore> shared = object(object);
            if (shared.isPresent() && vma.getPgoff() >= 0 && vma.getPgoff() <= PageStore.MAX_ADDRESS) {
                stored += shared.get().storedBytes(vma.getPgoff(), vma.getPgoff() + vma.getEnd() - vma.getStart());
                inParent += shared.get().parentBytes(vma.getPgoff(), vma.getPgoff() + vma.getEnd() - vma.getStart());
            }
        }
        return new Mapping(vma.getStart(), vma.getEnd(), kind(vma, memfd), permissions(vma), name(vma, file, memfd), vma.getPgoff(), stored, inParent, object,
                flags(vma));
    }

    /** Bytes of shared memory in this directory, of the objects that mappings showed so far and of memfds, each counted once. */
    long sharedStored() throws IOException {
        addMemfds();
        return sharedSum(false);
    }

    /** The same in earlier dumps. */
    long sharedInParent() throws IOException {
        addMemfds();
        return sharedSum(true);
    }

    private void addMemfds() throws IOException {
        for (file_entry entry : files.all()) {
            memfd_inode_entry memfd = entry.getType() == fd_types.MEMFD ? files.memfd(entry) : null;
            if (memfd != null) {
                object(Integer.toUnsignedLong(memfd.getShmid()));
            }
        }
    }

    private long sharedSum(boolean inParent) {
        LongStream sizes = objects.values().stream().flatMap(Optional::stream).mapToLong(store -> inParent ? store.parentBytes() : store.storedBytes());
        return sizes.reduce(0, PageStore::add);
    }

    private Optional<PageStore> object(long id) throws IOException {
        Optional<PageStore> store = objects.get(id);
        if (store == null) {
            store = PageStore.openShared(directory, id);
            objects.put(id, store);
        }
        return store;
    }

    private static MappingKind kind(vma_entry vma, memfd_inode_entry memfd) {
        int status = vma.getStatus();
        boolean executable = (vma.getProt() & 4) != 0;
        if ((status & KERNEL) != 0) {
            return MappingKind.KERNEL;
        }
        if ((status & HEAP) != 0 && (status & FILE_PRIVATE) == 0) {
            return MappingKind.HEAP;
        }
        if ((status & STACK) != 0 || (vma.getFlags() & MAP_GROWSDOWN) != 0) {
            return MappingKind.STACK;
        }
        if ((status & (ANON_SHARED | SYSVIPC | MEMFD)) != 0 || memfd != null) {
            return MappingKind.SHARED;
        }
        if ((status & FILE_SHARED) != 0) {
            return MappingKind.SHARED_FILE;
        }
        if ((status & FILE_PRIVATE) != 0) {
            return executable ? MappingKind.CODE : MappingKind.FILE;
        }
        return vma.getProt() == 0 ? MappingKind.RESERVED : MappingKind.ANONYMOUS;
    }

    private static String permissions(vma_entry vma) {
        int prot = vma.getProt();
        return ((prot & 1) != 0 ? "r" : "-") + ((prot & 2) != 0 ? "w" : "-") + ((prot & 4) != 0 ? "x" : "-")
                + ((vma.getFlags() & MAP_SHARED) != 0 ? "s" : "p");
    }

    private String name(vma_entry vma, file_entry file, memfd_inode_entry memfd) {
        int status = vma.getStatus();
        if ((status & VDSO) != 0) {
            return "[vdso]";
        }
        if ((status & VVAR) != 0) {
            return "[vvar]";
        }
        if ((status & AIORING) != 0) {
            return "[aio]";
        }
        if (memfd != null) {
            // Anonymous shared memory is a nameless file of the kernel's, which it calls so.
            return memfd.getName().equals("/dev/zero") ? "" : "memfd:" + memfd.getName();
        }
        if ((status & SYSVIPC) != 0) {
            return "System V segment " + vma.getShmid();
        }
        if (file != null) {
            return file.getReg().getName();
        }
        return (status & HEAP) != 0 ? "[heap]" : (vma.getFlags() & MAP_GROWSDOWN) != 0 ? "[stack]" : "";
    }

    private static List<String> flags(vma_entry vma) {
        List<String> flags = new ArrayList<>();
        MAP_FLAGS.forEach((bit, word) -> {
            if ((vma.getFlags() & bit) != 0) {
                flags.add(word);
            }
        });
        ADVICE.forEach((bit, word) -> {
            if ((vma.getMadv() & 1L << bit) != 0) {
                flags.add(word);
            }
        });
        if (vma.getPcrGuardCount() > 0) {
            flags.add("guard-regions");
        }
        flags.sort(null);
        return flags;
    }
}
