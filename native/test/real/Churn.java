// SPDX-License-Identifier: MIT
//
// Threads that keep a heap, locks, timers, files and compiled code busy, and know what must come out. Churn DIR STEPS.
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public class Churn {
    /** Allocates, links and drops; the sum depends on every object having kept its content. */
    static long work(int seed) {
        Map<Integer, List<long[]>> live = new HashMap<>();
        long expected = 0, found = 0;
        for (int i = 0; i < 20_000; i++) {
            long[] cell = new long[8 + (i * 31 + seed) % 57];
            cell[0] = (long) i * seed;
            expected += cell[0];
            live.computeIfAbsent(i % 97, k -> new ArrayList<>()).add(cell);
        }
        for (List<long[]> cells : live.values()) {
            for (long[] cell : cells) {
                found += cell[0];
            }
        }
        if (found != expected) {
            throw new IllegalStateException("seed " + seed + ": " + found + " instead of " + expected);
        }
        return found;
    }

    public static void main(String[] args) throws Exception {
        Path dir = Path.of(args[0]);
        int steps = Integer.parseInt(args[1]);
        ConcurrentHashMap<Integer, Long> kept = new ConcurrentHashMap<>(); // grows old, and is walked at the end
        ExecutorService pool = Executors.newFixedThreadPool(4);
        String result = "PASS\n";
        try {
            for (int step = 1; step <= steps; step++) {
                int base = step * 8;
                List<Future<Long>> parts = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    int seed = base + i;
                    parts.add(pool.submit(() -> {
                        long sum = work(seed);
                        kept.put(seed, sum);
                        return sum;
                    }));
                }
                for (Future<Long> part : parts) {
                    part.get();
                }
                Files.writeString(dir.resolve("progress"), step + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                Thread.sleep(20);
            }
            for (Map.Entry<Integer, Long> e : kept.entrySet()) {
                if (work(e.getKey()) != e.getValue()) {
                    throw new IllegalStateException("what was kept for seed " + e.getKey() + " has changed");
                }
            }
        } catch (Throwable e) {
            result = e + "\n";
        }
        pool.shutdown();
        Files.writeString(dir.resolve("result"), result);
    }
}
