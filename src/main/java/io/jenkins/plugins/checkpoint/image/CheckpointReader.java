// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import io.jenkins.plugins.checkpoint.image.proto.InventoryProto.inventory_entry;
import io.jenkins.plugins.checkpoint.image.proto.PstreeProto.pstree_entry;
import io.jenkins.plugins.checkpoint.image.proto.StatsProto.dump_stats_entry;
import io.jenkins.plugins.checkpoint.image.proto.StatsProto.stats_entry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Reads an images directory into a {@link Checkpoint}. */
public final class CheckpointReader {
    // Linux' largest pid_max is 2^22; a checkpoint of more tasks than this is no checkpoint.
    private static final int MAX_TASKS = 1 << 17;

    private final Path directory;

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
        FileTable files = FileTable.read(directory);
        MappingReader mappings = new MappingReader(directory, files);
        DescriptorReader descriptors = new DescriptorReader(directory, files);
        TaskReader reader = new TaskReader(directory, files, mappings, descriptors);
        List<pstree_entry> tree = readTree();
        List<Task> bare = new ArrayList<>();
        for (pstree_entry entry : tree) {
            bare.add(reader.read(entry));
        }
        List<Task> tasks = bare.stream().map(task -> task.withDescriptors(descriptors.of(task.pid()))).toList();
        return new Checkpoint(version, tree.get(0).getPid(), totals(tasks, mappings), tasks, readStats(), new NeedsReader(files, tasks).read());
    }

    private static Checkpoint.Totals totals(List<Task> tasks, MappingReader shared) throws IOException {
        int threads = 0;
        int mappings = 0;
        int descriptors = 0;
        long mapped = 0;
        long stored = shared.sharedStored();
        long inParent = shared.sharedInParent();
        for (Task task : tasks) {
            threads += task.threads().size();
            mappings += task.memory().mappings();
            descriptors += task.descriptors().size();
            mapped = PageStore.add(mapped, task.memory().mapped());
            stored = PageStore.add(stored, task.memory().stored());
            inParent = PageStore.add(inParent, task.memory().inParent());
        }
        return new Checkpoint.Totals(tasks.size(), threads, mappings, descriptors, mapped, stored, inParent);
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
