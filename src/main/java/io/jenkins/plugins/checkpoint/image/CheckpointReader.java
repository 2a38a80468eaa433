// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import io.jenkins.plugins.checkpoint.image.proto.CoreProto.core_entry;
import io.jenkins.plugins.checkpoint.image.proto.CoreProto.task_kobj_ids_entry;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.fd_types;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.fdinfo_entry;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.file_entry;
import io.jenkins.plugins.checkpoint.image.proto.InventoryProto.inventory_entry;
import io.jenkins.plugins.checkpoint.image.proto.MmProto.mm_entry;
import io.jenkins.plugins.checkpoint.image.proto.PstreeProto.pstree_entry;
import io.jenkins.plugins.checkpoint.image.proto.StatsProto.dump_stats_entry;
import io.jenkins.plugins.checkpoint.image.proto.StatsProto.stats_entry;
import io.jenkins.plugins.checkpoint.image.proto.VmaProto.vma_entry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads an images directory into a {@link Checkpoint}. */
public final class CheckpointReader {
    // Linux' largest pid_max is 2^22; a checkpoint of more tasks than this is no checkpoint.
    private static final int MAX_TASKS = 1 << 17;
    private static final int MAX_FILES = 1 << 20;
    private static final int MAX_ARGUMENTS = 1 << 17;

    // task_state in core images, as crit(1) shows them.
    private static final Map<Integer, String> STATES = Map.of(1, "alive", 2, "dead", 3, "stopped", 6, "zombie");

    private final Path directory;
    private final Map<String, file_entry> files = new HashMap<>();

    private CheckpointReader(Path directory) {
        this.directory = directory;
    }

    /**
     * Reads everything.
     *
     * @param directory an images directory
     * @return what it holds
     * @throws NotDirectoryException if it is none
     * @throws ImageException if an image is missing or damaged, naming it
     * @throws IOException if something cannot be read
     */
    public static Checkpoint read(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.readAttributes(directory, "isDirectory");
            throw new NotDirectoryException(directory.toString());
        }
        if (!Files.exists(directory.resolve("inventory.img"))) {
            throw new ImageException(directory, "not a whole images directory: inventory.img is missing");
        }
        return new CheckpointReader(directory).read();
    }

    private Checkpoint read() throws IOException {
        int version;
        try (ImageFile file = open("inventory.img", ImageKind.INVENTORY)) {
            version = file.first(inventory_entry.parser()).getImgVersion();
        }
        readFiles();
        List<pstree_entry> tree = readTree();
        List<Task> tasks = new ArrayList<>();
        for (pstree_entry entry : tree) {
            tasks.add(readTask(entry));
        }
        return new Checkpoint(version, tree.get(0).getPid(), tasks, readStats());
    }

    private List<pstree_entry> readTree() throws IOException {
        Path path = directory.resolve("pstree.img");
        List<pstree_entry> tree = new ArrayList<>();
        Set<Integer> pids = new HashSet<>();
        try (ImageFile file = open("pstree.img", ImageKind.PSTREE)) {
            for (Optional<pstree_entry> next = file.next(pstree_entry.parser()); next.isPresent(); next = file.next(pstree_entry.parser())) {
                pstree_entry entry = next.get();
                if (tree.size() >= MAX_TASKS) {
                    throw new ImageException(path, "more than " + MAX_TASKS + " processes");
                }
                if (entry.getPid() <= 0 || !pids.add(entry.getPid())) {
                    throw new ImageException(path, "pid " + Integer.toUnsignedString(entry.getPid()) + " is impossible or there twice");
                }
                if (!tree.isEmpty() && !pids.contains(entry.getPpid())) {
                    throw new ImageException(path, "pid " + entry.getPid() + " has a parent, " + Integer.toUnsignedString(entry.getPpid()) + ", that is not there");
                }
                tree.add(entry);
            }
        }
        if (tree.isEmpty()) {
            throw new ImageException(path, "has no process");
        }
        return tree;
    }

    private void readFiles() throws IOException {
        if (!Files.exists(directory.resolve("files.img"))) {
            return;
        }
        try (ImageFile file = open("files.img", ImageKind.FILES)) {
            for (Optional<file_entry> next = file.next(file_entry.parser()); next.isPresent(); next = file.next(file_entry.parser())) {
                files.put(next.get().getType() + " " + next.get().getId(), next.get());
                if (files.size() > MAX_FILES) {
                    throw new ImageException(directory.resolve("files.img"), "more than " + MAX_FILES + " files");
                }
            }
        }
    }

    private Task readTask(pstree_entry entry) throws IOException {
        int pid = entry.getPid();
        core_entry core;
        try (ImageFile file = open("core-" + pid + ".img", ImageKind.CORE)) {
            core = file.first(core_entry.parser());
        }
        String state = STATES.getOrDefault(core.getTc().getTaskState(), "state " + core.getTc().getTaskState());
        String program = "";
        List<String> arguments = List.of();
        Task.Memory memory = Task.Memory.NONE;
        List<Task.OpenFile> open = List.of();
        // A zombie has neither memory nor descriptors.
        if (Files.exists(directory.resolve("mm-" + pid + ".img"), LinkOption.NOFOLLOW_LINKS)) {
            mm_entry mm;
            try (ImageFile file = open("mm-" + pid + ".img", ImageKind.MM)) {
                mm = file.first(mm_entry.parser());
            }
            PageStore pages = PageStore.open(directory, pid);
            memory = new Task.Memory(mm.getVmasCount(), mapped(mm, pid), pages.storedBytes(), pages.parentBytes());
            file_entry executable = files.get(fd_types.REG + " " + mm.getExeFileId());
            program = executable == null ? "" : executable.getReg().getName();
            arguments = arguments(mm, pages);
            open = readDescriptors(core, pid);
        }
        return new Task(pid, entry.getPpid(), entry.getPgid(), entry.getSid(), List.copyOf(entry.getThreadsList()), state, core.getTc().getComm(), program,
                arguments, memory, open);
    }

    private long mapped(mm_entry mm, int pid) throws IOException {
        long sum = 0;
        for (vma_entry vma : mm.getVmasList()) {
            // [vsyscall] lies in the upper half and belongs to nobody.
            if (vma.getStart() < 0) {
                continue;
            }
            if (vma.getEnd() <= vma.getStart()) {
                throw new ImageException(directory.resolve("mm-" + pid + ".img"),
                        String.format("a mapping from 0x%x to 0x%x", vma.getStart(), vma.getEnd()));
            }
            sum += vma.getEnd() - vma.getStart();
        }
        return sum;
    }

    private static List<String> arguments(mm_entry mm, PageStore pages) throws IOException {
        long length = mm.getMmArgEnd() - mm.getMmArgStart();
        if (length <= 0 || length > MAX_ARGUMENTS) {
            return List.of();
        }
        Optional<byte[]> bytes = pages.read(mm.getMmArgStart(), (int) length);
        // Only the NUL at the very end ends an argument without beginning another.
        return bytes.map(b -> b[b.length - 1] == 0 ? Arrays.copyOf(b, b.length - 1) : b)
                .map(b -> List.of(new String(b, StandardCharsets.UTF_8).split("\0", -1))).orElse(List.of());
    }

    private List<Task.OpenFile> readDescriptors(core_entry core, int pid) throws IOException {
        task_kobj_ids_entry ids;
        if (core.hasIds()) {
            ids = core.getIds();
        } else {
            try (ImageFile file = open("ids-" + pid + ".img", ImageKind.IDS)) {
                ids = file.first(task_kobj_ids_entry.parser());
            }
        }
        List<Task.OpenFile> open = new ArrayList<>();
        String name = "fdinfo-" + Integer.toUnsignedString(ids.getFilesId()) + ".img";
        try (ImageFile file = open(name, ImageKind.FDINFO)) {
            for (Optional<fdinfo_entry> next = file.next(fdinfo_entry.parser()); next.isPresent(); next = file.next(fdinfo_entry.parser())) {
                fdinfo_entry entry = next.get();
                if (open.size() > MAX_FILES) {
                    throw new ImageException(directory.resolve(name), "more than " + MAX_FILES + " descriptors");
                }
                file_entry target = files.get(entry.getType() + " " + entry.getId());
                open.add(new Task.OpenFile(entry.getFd(), entry.getType().name().toLowerCase(Locale.ROOT), nameOf(target),
                        target == null ? 0 : target.getReg().getPos()));
            }
        }
        return open;
    }

    private static String nameOf(file_entry file) {
        if (file == null) {
            return "";
        }
        return switch (file.getType()) {
            case REG -> file.getReg().getName();
            case PIPE -> "pipe:[" + Integer.toUnsignedString(file.getPipe().getPipeId()) + "]";
            case UNIXSK -> file.getUsk().getName().toStringUtf8();
            default -> "";
        };
    }

    private Optional<Checkpoint.DumpStats> readStats() throws IOException {
        if (!Files.exists(directory.resolve("stats-dump"))) {
            return Optional.empty();
        }
        try (ImageFile file = open("stats-dump", ImageKind.STATS)) {
            dump_stats_entry dump = file.first(stats_entry.parser()).getDump();
            return Optional.of(new Checkpoint.DumpStats(Integer.toUnsignedLong(dump.getFreezingTime()), Integer.toUnsignedLong(dump.getFrozenTime()),
                    Integer.toUnsignedLong(dump.getMemdumpTime()), Integer.toUnsignedLong(dump.getMemwriteTime()), dump.getPagesScanned(),
                    dump.getPagesWritten()));
        }
    }

    private ImageFile open(String name, ImageKind kind) throws IOException {
        return ImageFile.open(directory.resolve(name), kind);
    }
}
