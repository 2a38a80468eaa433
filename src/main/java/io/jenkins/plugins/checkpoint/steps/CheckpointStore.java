// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.FilePath;
import hudson.model.Run;
import hudson.tasks.Fingerprinter.FingerprintAction;
import io.jenkins.plugins.checkpoint.agent.DumpResult;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import jenkins.model.ArtifactManager;
import jenkins.model.Jenkins;
import jenkins.model.StandardArtifactManager;
import jenkins.util.BuildListenerAdapter;
import jenkins.util.VirtualFile;

/**
 * Checkpoints as artifacts of a build: {@code checkpoints/NAME/N.tar.zst} and, put there last, {@code N.json}. A checkpoint whose JSON is not
 * there, or whose archive has another size than it was made with, is none.
 */
final class CheckpointStore {
    private static final String ROOT = "checkpoints/";
    private static final String ARCHIVE = ".tar.zst";
    private static final String MANIFEST = ".json";
    private static final int[] RETRY_SECONDS = {2, 10, 30};

    // Numbers given out and not yet artifacts, by build and name.
    private static final Map<String, AtomicInteger> NUMBERS = new ConcurrentHashMap<>();

    private CheckpointStore() {}

    /** The path of one of a checkpoint's artifacts. */
    static String path(String name, String file) {
        return ROOT + name + "/" + file;
    }

    /** The number of the next checkpoint of a name in a build; none is given twice. */
    static int nextNumber(Run<?, ?> build, String name) throws IOException {
        Set<Integer> there = numbers(build, name);
        int last = there.stream().mapToInt(Integer::intValue).max().orElse(0);
        AtomicInteger counter = NUMBERS.computeIfAbsent(build.getExternalizableId() + "/" + name, key -> new AtomicInteger());
        return counter.updateAndGet(number -> Math.max(number, last) + 1);
    }

    /** Numbers that were given out are no longer of interest. */
    static void forget(Run<?, ?> build) {
        NUMBERS.keySet().removeIf(key -> key.startsWith(build.getExternalizableId() + "/"));
    }

    /** The numbers of a build's whole checkpoints of a name. */
    static Set<Integer> numbers(Run<?, ?> build, String name) throws IOException {
        Set<Integer> numbers = new TreeSet<>();
        VirtualFile directory = build.getArtifactManager().root().child(ROOT + name);
        if (directory.isDirectory()) {
            for (VirtualFile file : directory.list()) {
                String fileName = file.getName();
                if (fileName.matches("[1-9]\\d{0,8}\\.json") && directory.child(fileName.replace(MANIFEST, ARCHIVE)).isFile()) {
                    numbers.add(Integer.parseInt(fileName.replace(MANIFEST, "")));
                }
            }
        }
        return numbers;
    }

    /** The names that a build has checkpoints of. */
    static List<String> names(Run<?, ?> build) throws IOException {
        List<String> names = new ArrayList<>();
        VirtualFile root = build.getArtifactManager().root().child("checkpoints");
        if (root.isDirectory()) {
            for (VirtualFile directory : root.list()) {
                if (directory.isDirectory() && !numbers(build, directory.getName()).isEmpty()) {
                    names.add(directory.getName());
                }
            }
        }
        return names;
    }

    /** Opens an archive, to be streamed. */
    static InputStream open(Run<?, ?> build, String name, int number) throws IOException {
        return archive(build, name, number).open();
    }

    /** How many bytes an archive has. */
    static long size(Run<?, ?> build, String name, int number) throws IOException {
        return archive(build, name, number).length();
    }

    private static VirtualFile archive(Run<?, ?> build, String name, int number) {
        return build.getArtifactManager().root().child(path(name, number + ARCHIVE));
    }

    /**
     * Makes a checkpoint's files artifacts. Tries more than once.
     *
     * @param host the build
     * @param directory of the files, on the agent
     * @param files their names, the JSON last
     * @param name the checkpoint's
     * @param number the checkpoint's
     * @param result what the agent said of it; null when there is only a log
     * @throws IOException if it fails for good; the files are still on the agent
     */
    static void upload(RunHost host, FilePath directory, List<String> files, String name, int number, DumpResult result) throws IOException, InterruptedException {
        for (int attempt = 0;; attempt++) {
            try {
                put(host, directory, files, name, number, result);
                return;
            } catch (IOException e) {
                if (attempt == RETRY_SECONDS.length) {
                    throw e;
                }
                host.say(Messages.Upload_Retry(label(name, number), Errors.line(e), String.valueOf(RETRY_SECONDS[attempt])));
                Thread.sleep(RETRY_SECONDS[attempt] * 1000L);
            }
        }
    }

    private static void put(RunHost host, FilePath directory, List<String> files, String name, int number, DumpResult result) throws IOException, InterruptedException {
        ArtifactManager manager = host.build().pickArtifactManager();
        List<List<String>> parts = List.of(files.stream().filter(file -> !file.endsWith(MANIFEST)).toList(), files.stream().filter(file -> file.endsWith(MANIFEST)).toList());
        try {
            for (List<String> part : parts) {
                if (part.isEmpty()) {
                    continue;
                }
                Map<String, String> artifacts = new HashMap<>();
                part.forEach(file -> artifacts.put(path(name, file), file));
                manager.archive(directory, directory.createLauncher(host.listener()), BuildListenerAdapter.wrap(host.listener()), artifacts);
                if (result != null && part.contains(number + ARCHIVE)) {
                    long length = size(host.build(), name, number);
                    if (length != result.archiveBytes()) {
                        throw new IOException("the archive has " + result.archiveBytes() + " bytes on the agent and " + length + " as an artifact");
                    }
                }
            }
        } catch (IOException e) {
            delete(host.build(), name, number, files);
            throw e;
        }
        if (result != null) {
            fingerprint(host.build(), name, number, result.md5());
        }
    }

    private static void fingerprint(Run<?, ?> build, String name, int number, String md5) throws IOException {
        String file = name + "-" + number + ARCHIVE;
        Jenkins.get().getFingerprintMap().getOrCreate(build, file, md5);
        synchronized (build) {
            FingerprintAction action = build.getAction(FingerprintAction.class);
            if (action == null) {
                build.addAction(new FingerprintAction(build, Map.of(file, md5)));
            } else {
                action.add(Map.of(file, md5));
            }
            build.save();
        }
    }

    /**
     * Removes checkpoints that are too many. Only Jenkins' own artifact storage can; others have rules of their own.
     *
     * @param build the build
     * @param name of the checkpoints
     * @param keep how many of the latest stay
     * @return the numbers of those removed
     */
    static Collection<Integer> prune(Run<?, ?> build, String name, int keep) throws IOException {
        List<Integer> numbers = new ArrayList<>(numbers(build, name));
        List<Integer> removed = new ArrayList<>();
        for (int number : numbers.subList(0, Math.max(0, numbers.size() - keep))) {
            if (delete(build, name, number, List.of(number + MANIFEST, number + ARCHIVE, number + ".html", number + ".dump.log"))) {
                removed.add(number);
            }
        }
        return removed;
    }

    /** Says whether single artifacts of a build can be removed: the interface of artifact managers knows only all of them. */
    static boolean canRemove(Run<?, ?> build) {
        return build.getArtifactManager() instanceof StandardArtifactManager;
    }

    private static boolean delete(Run<?, ?> build, String name, int number, List<String> files) throws IOException {
        if (!canRemove(build)) {
            return false;
        }
        // The JSON first: without it nobody takes the rest for a checkpoint.
        File directory = new File(build.getArtifactsDir(), ROOT + name);
        Files.deleteIfExists(new File(directory, number + MANIFEST).toPath());
        for (String file : files) {
            Files.deleteIfExists(new File(directory, file).toPath());
        }
        return true;
    }

    /** For the console. */
    static String label(String name, int number) {
        return name + " #" + number;
    }
}
