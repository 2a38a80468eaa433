// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** What this machine is, as a manifest tells it. */
public final class HostFacts {
    // Flags of /proc/cpuinfo that stand for instructions or registers a program can use by itself. A program that found them at its start
    // will use them after a restore too. Names: arch/x86/include/asm/cpufeatures.h and arch/arm64/kernel/cpuinfo.c.
    private static final Pattern USABLE = Pattern.compile("cx16|popcnt|movbe|aes|pclmulqdq|rdrand|rdseed|f16c|fma|fma4|xop|tbm|bmi[12]|abm|lahf_lm|adx|"
            + "mmx|mmxext|3dnow\\w*|sse\\w*|ssse3|avx\\w*|amx_\\w*|sha_ni|sha512|sm[34]|gfni|vaes|vpclmulqdq|xsave\\w*|xgetbv1|fsgsbase|erms|fsrm|rtm|hle|"
            + "clflushopt|clwb|clzero|prefetchw|rdpid|rdtscp|pku|ospke|movdiri|movdir64b|waitpkg|serialize|user_shstk|"
            + "fp|asimd\\w*|pmull|sha[1-9]\\d*|crc32|atomics|fphp|cpuid|jscvt|fcma|lrcpc|ilrcpc|dcpop|sve\\w*|sme\\w*|uscat|sb|paca|pacg|bti|mte\\d*|i8mm|bf16|rng|flagm\\d*|frint");

    private HostFacts() {}

    /**
     * Looks at this machine.
     *
     * @return kernel, architecture, CPU and its features
     * @throws IOException if /proc cannot be read
     */
    public static Manifest.Host current() throws IOException {
        String kernel = Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip();
        String architecture = System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
        String model = "";
        List<String> features = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"), StandardCharsets.ISO_8859_1)) {
            int colon = line.indexOf(':');
            String key = colon < 0 ? "" : line.substring(0, colon).strip();
            if (key.equals("model name") && model.isEmpty()) {
                model = line.substring(colon + 1).strip();
            } else if ((key.equals("flags") || key.equals("Features")) && features.isEmpty()) {
                Arrays.stream(line.substring(colon + 1).strip().split(" ")).filter(flag -> USABLE.matcher(flag).matches()).sorted().forEach(features::add);
            }
        }
        return new Manifest.Host(kernel, architecture, model, features);
    }

    /**
     * Says what a machine lacks that a checkpoint may need.
     *
     * @param origin where the checkpoint was made
     * @param here where it is to be restored
     * @return reasons, none if all is there
     */
    public static List<String> lacks(Manifest.Host origin, Manifest.Host here) {
        if (!origin.architecture().equals(here.architecture())) {
            return List.of("it was made on " + Manifest.printable(origin.architecture()) + ", this is " + here.architecture());
        }
        Set<String> missing = new TreeSet<>(origin.cpuFeatures());
        here.cpuFeatures().forEach(missing::remove);
        return missing.isEmpty() ? List.of() : List.of("this CPU lacks " + Manifest.printable(String.join(" ", missing)));
    }
}
