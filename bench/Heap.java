// SPDX-License-Identifier: MIT
//
// A JVM of 1 GiB, half of it used, as test runs leave theirs: many small objects, text, numbers, some bytes that do not compress.
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

public class Heap {
    public static void main(String[] args) throws Exception {
        Map<String, String> texts = new HashMap<>();
        List<byte[]> blobs = new ArrayList<>();
        Random random = new Random(1);
        Runtime runtime = Runtime.getRuntime();
        while (runtime.totalMemory() - runtime.freeMemory() < 512L << 20) {
            for (int i = 0; i < 1000; i++) {
                String key = "key-" + random.nextInt();
                texts.put(key, "the value of " + key + " is " + random.nextLong() + ", and this is what all of them say");
            }
            byte[] blob = new byte[100_000];
            random.nextBytes(blob);
            for (int i = 0; i < blob.length; i += 2) {
                blob[i] = 0;
            }
            blobs.add(blob);
        }
        System.out.println("ready");
        System.out.flush();
        System.in.read();
        System.out.println(texts.size() + blobs.size());
    }
}
