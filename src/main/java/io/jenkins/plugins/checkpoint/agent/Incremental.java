// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Dumps that leave out the memory of the dump before. Its images have to stay on the agent until the chain is begun anew; every archive is
 * whole, since the packer puts a chain together.
 */
final class Incremental {
    // In the run's directory: numbers of the dumps whose images are still there, each the parent of the next.
    private static final String CHAIN = "chain";
    // A chain takes room on the disk and time to pack.
    private static final int LONGEST = 8;

    private Incremental() {}

    /** Asks for an incremental dump, if it is wanted and there is one before. */
    static void apply(RunDirectory run, DumpRequest request, criu_opts.Builder options) throws IOException {
        List<Integer> chain = chain(run);
        if (!request.incremental()) {
            return;
        }
        if (!chain.isEmpty() && chain.size() < LONGEST) {
            // Relative to the images.
            options.setParentImg("../" + run.images(chain.get(chain.size() - 1)).getFileName());
        }
        if (request.leaveRunning()) {
            options.setTrackMem(true);
        }
    }

    /** Keeps the images of a dump for the next one, or removes what nobody needs any more. */
    static void after(RunDirectory run, DumpRequest request, Path images, boolean made) throws IOException {
        List<Integer> chain = chain(run);
        if (made && request.incremental() && request.leaveRunning()) {
            List<Integer> next = new ArrayList<>(chain.size() < LONGEST ? chain : List.of());
            next.add(request.number());
            Files.writeString(run.path().resolve(CHAIN), String.join(" ", next.stream().map(String::valueOf).toList()));
            chain.removeAll(next);
        } else {
            // A dump in between, or one that failed half way, ends what is tracked.
            Files.deleteIfExists(run.path().resolve(CHAIN));
            RunDirectory.delete(images);
        }
        for (int number : chain) {
            RunDirectory.delete(run.images(number));
        }
    }

    private static List<Integer> chain(RunDirectory run) throws IOException {
        Path file = run.path().resolve(CHAIN);
        List<Integer> numbers = new ArrayList<>();
        if (Files.exists(file)) {
            for (String number : Files.readString(file).strip().split(" ")) {
                numbers.add(Integer.parseInt(number));
            }
        }
        return numbers;
    }
}
