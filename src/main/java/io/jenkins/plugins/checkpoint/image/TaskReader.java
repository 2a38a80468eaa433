// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import io.jenkins.plugins.checkpoint.image.proto.CoreProto.core_entry;
import io.jenkins.plugins.checkpoint.image.proto.CoreProto.seccomp_mode;
import io.jenkins.plugins.checkpoint.image.proto.CoreProto.task_kobj_ids_entry;
import io.jenkins.plugins.checkpoint.image.proto.CredsProto.creds_entry;
import io.jenkins.plugins.checkpoint.image.proto.FsProto.fs_entry;
import io.jenkins.plugins.checkpoint.image.proto.MmProto.mm_entry;
import io.jenkins.plugins.checkpoint.image.proto.PstreeProto.pstree_entry;
import io.jenkins.plugins.checkpoint.image.proto.TimerProto.itimer_entry;
import io.jenkins.plugins.checkpoint.image.proto.TimerProto.posix_timer_entry;
import io.jenkins.plugins.checkpoint.image.proto.TimerProto.task_timers_entry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Reads one process after another; descriptors are filled in by the caller, once all tables are read. */
final class TaskReader {
    private static final int MAX_ARGUMENTS = 1 << 17;
    // task_state in core images, as crit(1) shows them; 2, dead, is written for zombies.
    private static final Map<Integer, String> STATES = Map.of(1, "alive", 2, "zombie", 3, "stopped", 6, "zombie");
    // time.h
    private static final Map<Integer, String> CLOCKS = Map.of(0, "CLOCK_REALTIME", 1, "CLOCK_MONOTONIC", 2, "CLOCK_PROCESS_CPUTIME_ID",
            3, "CLOCK_THREAD_CPUTIME_ID", 7, "CLOCK_BOOTTIME", 8, "CLOCK_REALTIME_ALARM", 9, "CLOCK_BOOTTIME_ALARM", 11, "CLOCK_TAI");

    private final Path directory;
    private final FileTable files;
    private final MappingReader mappings;
    private final DescriptorReader descriptors;

    TaskReader(Path directory, FileTable files, MappingReader mappings, DescriptorReader descriptors) {
        this.directory = directory;
        this.files = files;
        this.mappings = mappings;
        this.descriptors = descriptors;
    }

    /**
     * Reads a process, and hands its descriptor table to the {@link DescriptorReader}.
     *
     * @param entry where it stands in the tree
     * @return all of it but descriptors
     * @throws IOException if an image is missing or damaged
     */
    Task read(pstree_entry entry) throws IOException {
        int pid = entry.getPid();
        core_entry core = core(pid);
        String state = STATES.getOrDefault(core.getTc().getTaskState(), "state " + core.getTc().getTaskState());
        List<TaskThread> threads = threads(entry, core);
        // A zombie has neither memory nor descriptors.
        if (!exists("mm-" + pid + ".img")) {
            return new Task(pid, entry.getPpid(), entry.getPgid(), entry.getSid(), threads, state, core.getTc().getComm(), "", List.of(), "",
                    Credentials.NONE, Task.Memory.NONE, List.of(), List.of(), List.of(), Task.Omitted.NONE);
        }
        mm_entry mm;
        try (ImageFile file = ImageFile.open(directory.resolve("mm-" + pid + ".img"), ImageKind.MM)) {
            mm = file.first(mm_entry.parser());
        }
        PageStore pages = PageStore.open(directory, pid);
        List<Mapping> maps = mappings.read(mm, pages, pid);
        Task.Memory memory = new Task.Memory(maps.size(), maps.stream().mapToLong(Mapping::size).sum(), pages.storedBytes(), pages.parentBytes());
        descriptors.read(pid, tables(core, pid).getFilesId());
        return new Task(pid, entry.getPpid(), entry.getPgid(), entry.getSid(), threads, state, core.getTc().getComm(), files.path(mm.getExeFileId()),
                arguments(mm, pages), workingDirectory(pid), credentials(core), memory, maps, List.of(), timers(core.getTc().getTimers()), Task.Omitted.NONE);
    }

    private boolean exists(String name) {
        return Files.exists(directory.resolve(name), LinkOption.NOFOLLOW_LINKS);
    }

    private core_entry core(int id) throws IOException {
        try (ImageFile file = ImageFile.open(directory.resolve("core-" + Integer.toUnsignedString(id) + ".img"), ImageKind.CORE)) {
            return file.first(core_entry.parser());
        }
    }

    private List<TaskThread> threads(pstree_entry entry, core_entry leader) throws IOException {
        List<TaskThread> threads = new ArrayList<>();
        for (int id : entry.getThreadsList()) {
            core_entry core = id == entry.getPid() ? leader : core(id);
            String name = core.getThreadCore().getComm();
            threads.add(new TaskThread(id, name.isEmpty() ? leader.getTc().getComm() : name));
        }
        return threads;
    }

    private task_kobj_ids_entry tables(core_entry core, int pid) throws IOException {
        if (core.hasIds()) {
            return core.getIds();
        }
        try (ImageFile file = ImageFile.open(directory.resolve("ids-" + pid + ".img"), ImageKind.IDS)) {
            return file.first(task_kobj_ids_entry.parser());
        }
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

    private String workingDirectory(int pid) throws IOException {
        if (!exists("fs-" + pid + ".img")) {
            return "";
        }
        try (ImageFile file = ImageFile.open(directory.resolve("fs-" + pid + ".img"), ImageKind.FS)) {
            return files.path(file.first(fs_entry.parser()).getCwdId());
        }
    }

    private static Credentials credentials(core_entry core) {
        creds_entry creds = core.getThreadCore().getCreds();
        long capabilities = 0;
        for (int i = 0; i < Math.min(2, creds.getCapEffCount()); i++) {
            capabilities |= Integer.toUnsignedLong(creds.getCapEff(i)) << 32 * i;
        }
        seccomp_mode mode = core.getThreadCore().hasSeccompMode() ? core.getThreadCore().getSeccompMode() : core.getTc().getOldSeccompMode();
        return new Credentials(Integer.toUnsignedLong(creds.getUid()), Integer.toUnsignedLong(creds.getEuid()), Integer.toUnsignedLong(creds.getGid()),
                Integer.toUnsignedLong(creds.getEgid()), capabilities, mode == seccomp_mode.disabled ? "off" : mode.name().toLowerCase(Locale.ROOT));
    }

    private static List<TaskTimer> timers(task_timers_entry timers) {
        List<TaskTimer> list = new ArrayList<>();
        add(list, "real", timers.getReal());
        add(list, "virtual", timers.getVirt());
        add(list, "profiling", timers.getProf());
        for (posix_timer_entry timer : timers.getPosixList()) {
            list.add(new TaskTimer(CLOCKS.getOrDefault(timer.getClockId(), "clock " + timer.getClockId()), timer.getItId(),
                    micros(timer.getVsec(), timer.getVnsec() / 1000), micros(timer.getIsec(), timer.getInsec() / 1000)));
        }
        return list;
    }

    private static void add(List<TaskTimer> list, String clock, itimer_entry timer) {
        long remaining = micros(timer.getVsec(), timer.getVusec());
        if (remaining > 0) {
            list.add(new TaskTimer(clock, -1, remaining, micros(timer.getIsec(), timer.getIusec())));
        }
    }

    // A time that no clock reaches is cut off: images may say anything.
    private static long micros(long seconds, long micros) {
        return Math.max(0, Math.min(seconds, Long.MAX_VALUE / 2000000)) * 1000000 + Math.max(0, Math.min(micros, 999999));
    }
}
