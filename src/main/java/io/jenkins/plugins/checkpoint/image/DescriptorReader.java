// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.fd_types;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.fdinfo_entry;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.file_entry;
import io.jenkins.plugins.checkpoint.image.proto.SkInetProto.inet_sk_entry;
import io.jenkins.plugins.checkpoint.image.proto.TtyProto.TtyType;
import io.jenkins.plugins.checkpoint.image.proto.TtyProto.tty_info_entry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads descriptor tables and finds what belongs together: the ends of pipes, connections and terminals, and descriptors of one open file.
 * Tables are read first, all of them; then {@link #of} can tell of each.
 */
final class DescriptorReader {
    private final Path directory;
    private final FileTable files;
    private final Map<Integer, List<fdinfo_entry>> byPid = new HashMap<>();
    private final Map<Integer, List<fdinfo_entry>> byTable = new HashMap<>();
    // Where each open file is held, and which open files are one end of something; never more than are shown.
    private final Map<Integer, List<Descriptor.End>> holders = new HashMap<>();
    private final Map<String, List<Integer>> ends = new HashMap<>();
    private int count;

    DescriptorReader(Path directory, FileTable files) {
        this.directory = directory;
        this.files = files;
        for (file_entry entry : files.all()) {
            String end = ownEnd(entry);
            if (!end.isEmpty()) {
                add(ends.computeIfAbsent(end, key -> new ArrayList<>()), entry.getId());
            }
        }
    }

    /**
     * Reads the descriptor table of a process.
     *
     * @param pid the process
     * @param table number of the table, which other processes may share
     * @throws IOException if the image is missing or damaged
     */
    void read(int pid, int table) throws IOException {
        List<fdinfo_entry> entries = byTable.get(table);
        if (entries == null) {
            entries = new ArrayList<>();
            String name = "fdinfo-" + Integer.toUnsignedString(table) + ".img";
            try (ImageFile file = ImageFile.open(directory.resolve(name), ImageKind.FDINFO)) {
                for (Optional<fdinfo_entry> next = file.next(fdinfo_entry.parser()); next.isPresent(); next = file.next(fdinfo_entry.parser())) {
                    // A table that processes share counts for each.
                    if (entries.size() >= FileTable.MAX_FILES - count) {
                        throw tooMany(table);
                    }
                    entries.add(next.get());
                }
            }
            byTable.put(table, entries);
        }
        count += entries.size();
        if (count > FileTable.MAX_FILES) {
            throw tooMany(table);
        }
        byPid.put(pid, entries);
        for (fdinfo_entry entry : entries) {
            add(holders.computeIfAbsent(entry.getId(), key -> new ArrayList<>()), new Descriptor.End(pid, entry.getFd()));
        }
    }

    private ImageException tooMany(int table) {
        return new ImageException(directory.resolve("fdinfo-" + Integer.toUnsignedString(table) + ".img"),
                "more than " + FileTable.MAX_FILES + " descriptors in all processes together");
    }

    private static <T> void add(List<T> list, T item) {
        // One more than is shown: an end itself may be among them.
        if (list.size() <= Descriptor.MAX_ENDS) {
            list.add(item);
        }
    }

    /**
     * Tells of the descriptors of a process.
     *
     * @param pid one that was read
     * @return its descriptors, as they stand in the image; none if it was not read
     */
    List<Descriptor> of(int pid) {
        List<Descriptor> descriptors = new ArrayList<>();
        for (fdinfo_entry entry : byPid.getOrDefault(pid, List.of())) {
            descriptors.add(describe(pid, entry));
        }
        return descriptors;
    }

    private Descriptor describe(int pid, fdinfo_entry entry) {
        file_entry file = files.get(entry.getId());
        if (file != null && file.getType() != entry.getType()) {
            file = null;
        }
        Descriptor.End self = new Descriptor.End(pid, entry.getFd());
        List<Descriptor.End> sharers = holders.getOrDefault(entry.getId(), List.of()).stream().filter(end -> !end.equals(self)).limit(Descriptor.MAX_ENDS).toList();
        String kind = KindText.kind(entry.getType());
        if (file == null) {
            return new Descriptor(entry.getFd(), kind, KindText.plain(entry.getType()), "", "", (entry.getFlags() & 1) != 0, 0, -1, null, "",
                    Integer.toUnsignedLong(entry.getId()), List.of(), sharers);
        }
        return new Descriptor(entry.getFd(), kind, KindText.what(file, files), KindText.name(file, files), KindText.access(file, files), (entry.getFlags() & 1) != 0,
                KindText.position(file), KindText.size(file, files), socket(file), KindText.detail(file), Integer.toUnsignedLong(entry.getId()), peers(file),
                sharers);
    }

    private Descriptor.Socket socket(file_entry file) {
        if (file.getType() == fd_types.INETSK) {
            return SocketText.describe(file.getIsk());
        }
        if (file.getType() != fd_types.UNIXSK) {
            return null;
        }
        Descriptor.Socket own = SocketText.describe(file.getUsk());
        // Where the other end is bound, that is the remote address, as ss(8) shows it.
        String remote = ends.getOrDefault(otherEnd(file), List.of()).stream().map(files::get).filter(peer -> peer != null && peer.getId() != file.getId())
                .map(peer -> SocketText.path(peer.getUsk())).findFirst().orElse("");
        return new Descriptor.Socket(own.state(), own.local(), remote);
    }

    private List<Descriptor.End> peers(file_entry file) {
        String other = otherEnd(file);
        if (other.isEmpty()) {
            return List.of();
        }
        return ends.getOrDefault(other, List.of()).stream().filter(id -> id != file.getId()).flatMap(id -> holders.getOrDefault(id, List.of()).stream())
                .limit(Descriptor.MAX_ENDS).toList();
    }

    // A word for the end that a file is; two ends of one thing have each other's word as their other end.
    private String ownEnd(file_entry file) {
        return end(file, false);
    }

    private String otherEnd(file_entry file) {
        return end(file, true);
    }

    private String end(file_entry file, boolean other) {
        switch (file.getType()) {
            case PIPE:
                // A pipe opened for both ends (through /proc) is neither.
                int access = file.getPipe().getFlags() & 3;
                return access > 1 ? "" : "pipe " + file.getPipe().getPipeId() + " " + (other ? 1 - access : access);
            case UNIXSK:
                int inode = other ? file.getUsk().getPeer() : file.getUsk().getIno();
                return inode == 0 ? "" : "unix " + inode;
            case INETSK:
                inet_sk_entry socket = file.getIsk();
                if (socket.getDstPort() == 0 || socket.getSrcAddrCount() > 4 || socket.getDstAddrCount() > 4) {
                    return "";
                }
                String source = socket.getSrcAddrList() + ":" + socket.getSrcPort();
                String destination = socket.getDstAddrList() + ":" + socket.getDstPort();
                return "inet " + socket.getProto() + " " + (other ? destination + " " + source : source + " " + destination);
            case TTY:
                tty_info_entry info = files.terminal(file);
                if (info == null || info.getType() != TtyType.PTY || !info.hasPty()) {
                    return "";
                }
                return "pty " + info.getPty().getIndex() + (KindText.isMaster(info) != other ? " master" : " slave");
            default:
                return "";
        }
    }
}
