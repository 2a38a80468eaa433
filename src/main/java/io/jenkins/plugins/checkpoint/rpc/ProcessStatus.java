// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What /proc/PID/status and /proc/PID/stat tell of a process (proc_pid_status(5), proc_pid_stat(5)).
 *
 * @param pid the number asked for
 * @param name its comm
 * @param state the state's letter, as in R, S, T, Z
 * @param tgid the process that it belongs to; differs from pid for a thread
 * @param parent pid of the parent; 0 for a process of another namespace or the first
 * @param tracer pid of the tracer, or 0
 * @param uids real, effective, saved and file system user id
 * @param gids the same for groups
 * @param kernelThread true if it has no user memory because it is part of the kernel
 * @param startTime clock ticks after boot; with the pid it names one process for ever
 */
public record ProcessStatus(int pid, String name, char state, int tgid, int parent, int tracer, List<Integer> uids, List<Integer> gids,
        boolean kernelThread, long startTime) {
    // PF_KTHREAD of linux/sched.h, in the flags of /proc/PID/stat.
    private static final long PF_KTHREAD = 0x00200000;

    /**
     * Looks at a process.
     *
     * @param pid process or thread id
     * @return what /proc says, or nothing if there is no such process
     * @throws IOException if /proc has it but cannot be read or understood
     */
    public static Optional<ProcessStatus> of(int pid) throws IOException {
        Path proc = Path.of("/proc", Integer.toString(pid));
        List<String> lines;
        String stat;
        try {
            // A name may hold any byte.
            lines = Files.readAllLines(proc.resolve("status"), StandardCharsets.ISO_8859_1);
            stat = Files.readString(proc.resolve("stat"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            // ESRCH comes as a plain IOException when the process ends between open and read.
            if (pid <= 0 || !Files.exists(proc)) {
                return Optional.empty();
            }
            throw e;
        }
        Map<String, String> fields = new HashMap<>();
        for (String line : lines) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 1).trim());
            }
        }
        // comm stands in parentheses and may hold both blanks and parentheses: count from the last one.
        String[] rest = stat.substring(stat.lastIndexOf(')') + 2).trim().split(" ");
        long flags = Long.parseLong(rest[6]);
        long startTime = Long.parseLong(rest[19]);
        return Optional.of(new ProcessStatus(pid, fields.getOrDefault("Name", "?"), fields.getOrDefault("State", "?").charAt(0),
                number(fields, "Tgid"), number(fields, "PPid"), number(fields, "TracerPid"), numbers(fields, "Uid"), numbers(fields, "Gid"),
                (flags & PF_KTHREAD) != 0, startTime));
    }

    private static int number(Map<String, String> fields, String key) {
        return Integer.parseInt(fields.getOrDefault(key, "0"));
    }

    private static List<Integer> numbers(Map<String, String> fields, String key) {
        List<Integer> numbers = new ArrayList<>();
        for (String word : fields.getOrDefault(key, "").split("\\s+")) {
            // uid_t is unsigned.
            numbers.add((int) Long.parseLong(word));
        }
        return numbers;
    }

    /**
     * Says whose process it is.
     *
     * @param uid user id
     * @param gid group id
     * @return true if real, effective and saved ids are all these
     */
    public boolean belongsTo(int uid, int gid) {
        return uids.subList(0, 3).stream().allMatch(id -> id == uid) && gids.subList(0, 3).stream().allMatch(id -> id == gid);
    }
}
