// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What changed from one checkpoint to a later one. Processes are the same when they have the same pid, mappings when they begin or end at the
 * same address and are of the same kind, descriptors when they have the same number.
 *
 * @param processes every process of either, those of the earlier one first
 * @param compared whether contents of pages were compared
 */
public record CheckpointDiff(List<ProcessDiff> processes, boolean compared) {
    /** What became of something. */
    public enum Change {
        /** Only the earlier one has it. */
        GONE,
        /** Only the later one has it. */
        NEW,
        /** Both have it, not quite the same. */
        CHANGED,
        /** Both have it, the same as far as it was looked at. */
        SAME
    }

    /**
     * A process.
     *
     * @param pid its id
     * @param name comm, in the later one if it is there
     * @param change what became of it
     * @param mappings mappings that are gone, new or changed; none if the process is gone or new
     * @param descriptors descriptors that are gone, new or changed; none if the process is gone or new
     * @param storedBefore bytes stored of its memory by the earlier checkpoint
     * @param storedAfter bytes stored of its memory by the later one
     * @param pages pages of which the contents differ; -1 if they were not compared
     */
    public record ProcessDiff(int pid, String name, Change change, List<MappingDiff> mappings, List<DescriptorDiff> descriptors, long storedBefore,
            long storedAfter, long pages) {}

    /**
     * A mapping.
     *
     * @param before in the earlier one; null if it is new
     * @param after in the later one; null if it is gone
     * @param pages pages of which the contents differ, where both have the address; -1 if they were not compared
     */
    public record MappingDiff(Mapping before, Mapping after, long pages) {
        /**
         * What became of it.
         *
         * @return gone, new or changed
         */
        public Change change() {
            return before == null ? Change.NEW : after == null ? Change.GONE : Change.CHANGED;
        }

        /**
         * The later mapping, or the earlier one if there is none.
         *
         * @return never null
         */
        public Mapping any() {
            return after == null ? before : after;
        }
    }

    /**
     * A descriptor.
     *
     * @param before in the earlier one; null if it was opened
     * @param after in the later one; null if it was closed
     */
    public record DescriptorDiff(Descriptor before, Descriptor after) {
        /**
         * What became of it.
         *
         * @return gone (closed), new (opened) or changed
         */
        public Change change() {
            return before == null ? Change.NEW : after == null ? Change.GONE : Change.CHANGED;
        }

        /**
         * Whether it is the same file, read or written further.
         *
         * @return true if only the position, and perhaps the size, differ
         */
        public boolean moved() {
            return before != null && after != null && sameFile(before, after);
        }

        private static boolean sameFile(Descriptor a, Descriptor b) {
            return a.kind().equals(b.kind()) && a.name().equals(b.name()) && a.access().equals(b.access()) && a.socket() == null && b.socket() == null;
        }
    }

    /** Compares contents of memory. */
    interface Pages {
        /**
         * Counts pages that differ.
         *
         * @param before a mapping of a process
         * @param after the same mapping later
         * @param pid the process
         * @return how many, of the addresses that both have
         * @throws IOException if images are missing or damaged
         */
        long differing(Mapping before, Mapping after, int pid) throws IOException;
    }

    /**
     * Compares what is known without contents of memory, as from two manifests.
     *
     * @param before the earlier one
     * @param after the later one
     * @return the differences
     */
    public static CheckpointDiff of(Checkpoint before, Checkpoint after) {
        try {
            return of(before, after, null);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static CheckpointDiff of(Checkpoint before, Checkpoint after, Pages pages) throws IOException {
        Map<Integer, Task> earlier = byPid(before);
        Map<Integer, Task> later = byPid(after);
        Set<Integer> pids = new LinkedHashSet<>(earlier.keySet());
        pids.addAll(later.keySet());
        List<ProcessDiff> processes = new ArrayList<>();
        for (int pid : pids) {
            Task a = earlier.get(pid);
            Task b = later.get(pid);
            if (a != null && b != null && (a.memory().mappings() > 0) == (b.memory().mappings() > 0)) {
                processes.add(compare(a, b, pages));
                continue;
            }
            // A zombie, too, has lost what it had.
            if (a != null) {
                processes.add(new ProcessDiff(pid, a.name(), Change.GONE, List.of(), List.of(), a.memory().stored(), 0, -1));
            }
            if (b != null) {
                processes.add(new ProcessDiff(pid, b.name(), Change.NEW, List.of(), List.of(), 0, b.memory().stored(), -1));
            }
        }
        return new CheckpointDiff(processes, pages != null);
    }

    private static Map<Integer, Task> byPid(Checkpoint checkpoint) {
        Map<Integer, Task> tasks = new LinkedHashMap<>();
        checkpoint.tasks().forEach(task -> tasks.put(task.pid(), task));
        return tasks;
    }

    private static ProcessDiff compare(Task a, Task b, Pages pages) throws IOException {
        List<MappingDiff> mappings = new ArrayList<>();
        long sum = 0;
        for (MappingDiff pair : pairs(a.mappings(), b.mappings())) {
            long differing = pair.before() == null || pair.after() == null || pages == null ? -1 : pages.differing(pair.before(), pair.after(), a.pid());
            sum += Math.max(0, differing);
            if (differing > 0 || pair.before() == null || pair.after() == null || !alike(pair.before(), pair.after(), pages == null)) {
                mappings.add(new MappingDiff(pair.before(), pair.after(), differing));
            }
        }
        List<DescriptorDiff> descriptors = descriptors(a, b);
        boolean same = mappings.isEmpty() && descriptors.isEmpty() && a.threadIds().equals(b.threadIds()) && a.state().equals(b.state());
        return new ProcessDiff(a.pid(), b.name(), same ? Change.SAME : Change.CHANGED, mappings, descriptors, a.memory().stored(), b.memory().stored(),
                pages == null ? -1 : sum);
    }

    private static boolean alike(Mapping a, Mapping b, boolean stored) {
        return a.start() == b.start() && a.end() == b.end() && a.permissions().equals(b.permissions()) && a.name().equals(b.name())
                && (!stored || a.stored() + a.inParent() == b.stored() + b.inParent());
    }

    private static List<MappingDiff> pairs(List<Mapping> before, List<Mapping> after) {
        Map<Long, Mapping> byStart = new HashMap<>();
        Map<Long, Mapping> byEnd = new HashMap<>();
        for (Mapping mapping : after) {
            byStart.put(mapping.start(), mapping);
            byEnd.put(mapping.end(), mapping);
        }
        List<MappingDiff> pairs = new ArrayList<>();
        Set<Long> taken = new TreeSet<>();
        for (Mapping mapping : before) {
            Mapping other = byStart.get(mapping.start());
            // A stack grows at its start.
            if (other == null || other.kind() != mapping.kind()) {
                other = byEnd.get(mapping.end());
            }
            boolean found = other != null && other.kind() == mapping.kind() && taken.add(other.start());
            pairs.add(new MappingDiff(mapping, found ? other : null, -1));
        }
        for (Mapping mapping : after) {
            if (!taken.contains(mapping.start())) {
                pairs.add(new MappingDiff(null, mapping, -1));
            }
        }
        pairs.sort((x, y) -> Long.compare(x.any().start(), y.any().start()));
        return pairs;
    }

    private static List<DescriptorDiff> descriptors(Task a, Task b) {
        Map<Integer, Descriptor> later = new LinkedHashMap<>();
        b.descriptors().forEach(descriptor -> later.put(descriptor.number(), descriptor));
        List<DescriptorDiff> diffs = new ArrayList<>();
        for (Descriptor descriptor : a.descriptors()) {
            Descriptor other = later.remove(descriptor.number());
            if (other == null || !alike(descriptor, other)) {
                diffs.add(new DescriptorDiff(descriptor, other));
            }
        }
        later.values().forEach(descriptor -> diffs.add(new DescriptorDiff(null, descriptor)));
        return diffs;
    }

    // Numbers of open files, and of pipes and sockets, may be others in each dump.
    private static boolean alike(Descriptor a, Descriptor b) {
        return a.kind().equals(b.kind()) && a.name().equals(b.name()) && a.access().equals(b.access()) && a.position() == b.position() && a.size() == b.size()
                && a.detail().equals(b.detail()) && String.valueOf(a.socket()).equals(String.valueOf(b.socket()));
    }
}
