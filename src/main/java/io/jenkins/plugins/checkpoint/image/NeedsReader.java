// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.fd_types;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.file_entry;
import io.jenkins.plugins.checkpoint.image.proto.TtyProto.TtyType;
import io.jenkins.plugins.checkpoint.image.proto.TtyProto.tty_info_entry;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Finds out what a restore needs: files, options, privileges. */
final class NeedsReader {
    // Of the two uses of one path, the first in this list is told.
    private static final List<String> USES = List.of("program", "mapped", "open", "directory", "device");

    private final FileTable files;
    private final List<Task> tasks;

    NeedsReader(FileTable files, List<Task> tasks) {
        this.files = files;
        this.tasks = tasks;
    }

    /** All needs. */
    Needs read() {
        return new Needs(neededFiles(), options(), privileges(), 0);
    }

    private List<Needs.NeededFile> neededFiles() {
        Set<String> programs = new HashSet<>();
        Set<String> mapped = new HashSet<>();
        for (Task task : tasks) {
            programs.add(task.program());
            for (Mapping mapping : task.mappings()) {
                if (mapping.kind() == MappingKind.CODE || mapping.kind() == MappingKind.FILE || mapping.kind() == MappingKind.SHARED_FILE) {
                    mapped.add(mapping.name());
                }
            }
        }
        Map<String, Needs.NeededFile> needed = new LinkedHashMap<>();
        for (file_entry entry : files.all()) {
            // What has lost its name is in the images, or comes back under another one.
            if (entry.getType() != fd_types.REG || entry.getReg().getExt() || entry.getReg().getPcrCopy() || files.isNameless(entry.getId())) {
                continue;
            }
            String path = entry.getReg().getName();
            String what = KindText.what(entry, files);
            String use = what.equals("directory") ? "directory" : what.endsWith("device") ? "device"
                    : programs.contains(path) ? "program" : mapped.contains(path) ? "mapped" : "open";
            Needs.NeededFile before = needed.get(path);
            if (before == null || USES.indexOf(use) < USES.indexOf(before.use())) {
                needed.put(path, new Needs.NeededFile(path, KindText.size(entry, files), use));
            }
        }
        return needed.values().stream().sorted((a, b) -> a.use().equals(b.use()) ? a.path().compareTo(b.path())
                : Integer.compare(USES.indexOf(a.use()), USES.indexOf(b.use()))).toList();
    }

    private List<Needs.NeededOption> options() {
        List<Needs.NeededOption> options = new ArrayList<>();
        if (connections() > 0) {
            options.add(new Needs.NeededOption("--tcp-established", connections() == 1 ? "there is a TCP connection" : "there are " + connections() + " TCP connections"));
        }
        Task root = tasks.get(0);
        if (root.session() != root.pid()) {
            options.add(new Needs.NeededOption("--shell-job", "the tree belongs to session " + Integer.toUnsignedString(root.session()) + ", which is not its own"));
        } else if (hasOuterTerminal()) {
            options.add(new Needs.NeededOption("--shell-job", "a terminal whose other side is outside the tree is open"));
        }
        if (files.hasLocks()) {
            options.add(new Needs.NeededOption("--file-locks", "files are locked"));
        }
        boolean external = false;
        boolean unix = false;
        for (file_entry entry : files.all()) {
            external |= entry.getType() == fd_types.EXT || entry.getType() == fd_types.REG && entry.getReg().getExt();
            tty_info_entry terminal = entry.getType() == fd_types.TTY ? files.terminal(entry) : null;
            external |= terminal != null && terminal.getType() == TtyType.EXT_TTY;
            // unix_sk_entry.uflags, bit 0: the peer is outside.
            unix |= entry.getType() == fd_types.UNIXSK && (entry.getUsk().getUflags() & 1) != 0;
        }
        if (external) {
            options.add(new Needs.NeededOption("--inherit-fd", "files were left outside by --external; give them again"));
        }
        if (unix) {
            options.add(new Needs.NeededOption("--ext-unix-sk", "a Unix socket is connected to a process outside the tree"));
        }
        return options;
    }

    private long connections() {
        long count = 0;
        for (file_entry entry : files.all()) {
            if (entry.getType() == fd_types.INETSK && entry.getIsk().getProto() == SocketText.TCP && entry.getIsk().getState() != SocketText.CLOSE
                    && entry.getIsk().getState() != SocketText.LISTEN) {
                count++;
            }
        }
        return count;
    }

    private boolean hasOuterTerminal() {
        Set<Integer> masters = new HashSet<>();
        Set<Integer> slaves = new HashSet<>();
        for (file_entry entry : files.all()) {
            tty_info_entry info = entry.getType() == fd_types.TTY ? files.terminal(entry) : null;
            if (info != null && info.getType() == TtyType.PTY && info.hasPty()) {
                (KindText.isMaster(info) ? masters : slaves).add(info.getPty().getIndex());
            }
        }
        slaves.removeAll(masters);
        return !slaves.isEmpty();
    }

    private List<String> privileges() {
        List<String> list = new ArrayList<>();
        Set<Long> users = new TreeSet<>();
        boolean filters = false;
        for (Task task : tasks) {
            if (task.memory().mappings() > 0) {
                users.add(task.credentials().uid());
                users.add(task.credentials().euid());
            }
            filters |= !task.credentials().seccomp().equals("off");
        }
        if (users.equals(Set.of(0L))) {
            list.add("run as root");
        } else if (users.size() == 1) {
            list.add("run as user " + users.iterator().next() + ", or as root");
        } else if (!users.isEmpty()) {
            list.add("run as root: the processes belong to users " + users.stream().limit(10).map(String::valueOf).collect(Collectors.joining(", "))
                    + (users.size() > 10 ? ", ..." : ""));
        }
        int threads = tasks.stream().mapToInt(task -> task.threads().size()).sum();
        list.add((threads == 1 ? "the process id has" : "the " + threads + " process and thread ids have")
                + " to be free, and choosing them takes root, CAP_CHECKPOINT_RESTORE, or a pid namespace of its own");
        if (connections() > 0) {
            list.add("CAP_NET_ADMIN in the network namespace: TCP connections");
        }
        if (filters) {
            list.add("CAP_SYS_ADMIN: seccomp filters");
        }
        return list;
    }
}
