// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;

/**
 * The most of a checkpoint that fits into a bounded size, with secrets masked: what reports show, and an archive's manifest tells. Sums
 * stay those of the whole checkpoint, and each process says what was left out of its lists.
 */
public final class CheckpointSummary {
    /**
     * How much is kept, over all processes.
     *
     * @param processes processes, from the root on
     * @param threads threads
     * @param mappings mappings, those with the most stored memory
     * @param descriptors descriptors, from the lowest number on
     * @param files needed files
     * @param arguments characters of a command line
     * @param name characters of a path or name
     */
    public record Limits(int processes, int threads, int mappings, int descriptors, int files, int arguments, int name) {
        /** For a manifest: some two megabytes of JSON at most, of ordinary names. */
        public static final Limits MANIFEST = new Limits(1000, 8000, 8000, 8000, 4000, 2000, 300);
        /** For one's own eyes: what a browser can still show. */
        public static final Limits REPORT = new Limits(4000, 40000, 20000, 40000, 10000, 20000, 4096);
        /** Everything: only secrets are masked. */
        public static final Limits NONE = new Limits(1 << 20, 1 << 24, 1 << 24, 1 << 24, 1 << 24, 1 << 20, 1 << 20);
    }

    private static final int TIMERS = 32;

    private final Limits limits;
    private final Secrets secrets;

    private CheckpointSummary(Limits limits, Secrets secrets) {
        this.limits = limits;
        this.secrets = secrets;
    }

    /**
     * Summarises for a manifest.
     *
     * @param checkpoint all of it
     * @param secrets values that must not be shown, beside what looks like a secret
     * @return the summary
     */
    public static Checkpoint of(Checkpoint checkpoint, Collection<String> secrets) {
        return of(checkpoint, Limits.MANIFEST, secrets);
    }

    /**
     * Summarises.
     *
     * @param checkpoint all of it
     * @param limits how much to keep
     * @param secrets values that must not be shown, beside what looks like a secret
     * @return the summary
     */
    public static Checkpoint of(Checkpoint checkpoint, Limits limits, Collection<String> secrets) {
        return new CheckpointSummary(limits, new Secrets(secrets)).summarise(checkpoint);
    }

    private Checkpoint summarise(Checkpoint checkpoint) {
        List<Task> tasks = checkpoint.tasks().subList(0, Math.min(checkpoint.tasks().size(), limits.processes()));
        int threads = share(tasks.stream().mapToInt(task -> task.threads().size()).toArray(), limits.threads());
        int mappings = share(tasks.stream().mapToInt(task -> task.mappings().size()).toArray(), limits.mappings());
        int descriptors = share(tasks.stream().mapToInt(task -> task.descriptors().size()).toArray(), limits.descriptors());
        List<Task> kept = tasks.stream().map(task -> summarise(task, threads, mappings, descriptors)).toList();
        return new Checkpoint(checkpoint.imageVersion(), checkpoint.root(), checkpoint.totals(), kept, checkpoint.stats(), summarise(checkpoint.needs()));
    }

    /** How many each may keep at most so that all together keep no more than the limit. */
    static int share(int[] counts, int limit) {
        int low = 0;
        int high = limit;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (IntStream.of(counts).mapToLong(count -> Math.min(count, middle)).sum() <= limit) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    private Task summarise(Task task, int threads, int mappings, int descriptors) {
        List<Mapping> maps = heaviest(task.mappings(), mappings);
        long mapped = sum(task.mappings(), Mapping::size) - sum(maps, Mapping::size);
        long stored = sum(task.mappings(), Mapping::stored) - sum(maps, Mapping::stored);
        Task.Omitted before = task.omitted();
        Task.Omitted omitted = new Task.Omitted(before.threads() + left(task.threads(), threads), before.mappings() + task.mappings().size() - maps.size(),
                before.mapped() + mapped, before.stored() + stored, before.descriptors() + left(task.descriptors(), descriptors),
                before.timers() + left(task.timers(), TIMERS));
        return new Task(task.pid(), task.parent(), task.group(), task.session(),
                first(task.threads(), threads).stream().map(thread -> new TaskThread(thread.id(), name(thread.name()))).toList(), task.state(),
                name(task.name()), name(task.program()), arguments(task.arguments()), name(task.directory()), task.credentials(), task.memory(),
                maps.stream().map(this::summarise).toList(), first(task.descriptors(), descriptors).stream().map(this::summarise).toList(),
                first(task.timers(), TIMERS), omitted);
    }

    private Mapping summarise(Mapping mapping) {
        return new Mapping(mapping.start(), mapping.end(), mapping.kind(), mapping.permissions(), name(mapping.name()), mapping.offset(), mapping.stored(),
                mapping.inParent(), mapping.object(), mapping.flags());
    }

    private Descriptor summarise(Descriptor descriptor) {
        Descriptor.Socket socket = descriptor.socket() == null ? null
                : new Descriptor.Socket(descriptor.socket().state(), name(descriptor.socket().local()), name(descriptor.socket().remote()));
        return new Descriptor(descriptor.number(), descriptor.kind(), descriptor.what(), name(descriptor.name()), descriptor.access(), descriptor.closeOnExec(),
                descriptor.position(), descriptor.size(), socket, descriptor.detail(), descriptor.file(), descriptor.peers(), descriptor.sharers());
    }

    private Needs summarise(Needs needs) {
        List<Needs.NeededFile> files = first(needs.files(), limits.files()).stream()
                .map(file -> new Needs.NeededFile(name(file.path()), file.size(), file.use())).toList();
        return new Needs(files, needs.options(), needs.privileges(), needs.omittedFiles() + left(needs.files(), limits.files()));
    }

    private List<String> arguments(List<String> arguments) {
        List<String> kept = new ArrayList<>();
        int room = limits.arguments();
        for (String argument : arguments) {
            if (room <= 0) {
                kept.add("...");
                break;
            }
            kept.add(argument.length() > room ? argument.substring(0, room) + "..." : argument);
            room -= argument.length() + 1;
        }
        return secrets.maskArguments(kept);
    }

    // Of a long name both ends tell more than the middle.
    private String name(String name) {
        String masked = secrets.maskKnown(name);
        int half = limits.name() / 2 - 2;
        return masked.length() <= limits.name() ? masked : masked.substring(0, half) + "..." + masked.substring(masked.length() - half);
    }

    private static List<Mapping> heaviest(List<Mapping> mappings, int count) {
        if (mappings.size() <= count) {
            return mappings;
        }
        Comparator<Mapping> weight = Comparator.comparingLong((Mapping mapping) -> mapping.stored() + mapping.inParent()).thenComparingLong(Mapping::size).reversed();
        Set<Mapping> kept = new HashSet<>(mappings.stream().sorted(weight).limit(count).toList());
        return mappings.stream().filter(kept::contains).toList();
    }

    private static long sum(List<Mapping> mappings, ToLongFunction<Mapping> size) {
        return mappings.stream().mapToLong(size).reduce(0, PageStore::add);
    }

    private static <T> List<T> first(List<T> list, int count) {
        return list.subList(0, Math.min(count, list.size()));
    }

    private static int left(List<?> list, int count) {
        return Math.max(0, list.size() - count);
    }
}
