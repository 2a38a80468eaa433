// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.fd_types;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.file_entry;
import io.jenkins.plugins.checkpoint.image.proto.MemfdProto.memfd_inode_entry;
import io.jenkins.plugins.checkpoint.image.proto.TtyProto.TtyType;
import io.jenkins.plugins.checkpoint.image.proto.TtyProto.tty_info_entry;
import java.util.Locale;
import java.util.Map;

/** Open files in words, kind by kind. */
final class KindText {
    private static final int ACCESS = 3;
    private static final Map<fd_types, String> PLAIN = Map.ofEntries(Map.entry(fd_types.REG, "file"), Map.entry(fd_types.PIPE, "pipe"),
            Map.entry(fd_types.FIFO, "FIFO"), Map.entry(fd_types.INETSK, "socket"), Map.entry(fd_types.UNIXSK, "Unix socket"),
            Map.entry(fd_types.EVENTFD, "eventfd"), Map.entry(fd_types.EVENTPOLL, "epoll"), Map.entry(fd_types.INOTIFY, "inotify"),
            Map.entry(fd_types.SIGNALFD, "signalfd"), Map.entry(fd_types.PACKETSK, "packet socket"), Map.entry(fd_types.TTY, "terminal"),
            Map.entry(fd_types.FANOTIFY, "fanotify"), Map.entry(fd_types.NETLINKSK, "netlink socket"), Map.entry(fd_types.NS, "namespace"),
            Map.entry(fd_types.TUNF, "tun device"), Map.entry(fd_types.EXT, "external file"), Map.entry(fd_types.TIMERFD, "timerfd"),
            Map.entry(fd_types.MEMFD, "memfd"), Map.entry(fd_types.BPFMAP, "BPF map"), Map.entry(fd_types.PIDFD, "pidfd"));
    // stat(2), the S_IFMT part of a mode.
    private static final Map<Integer, String> MODES = Map.of(0040000, "directory", 0020000, "device", 0060000, "block device", 0120000, "symbolic link");

    private KindText() {}

    /** The images' word. */
    static String kind(fd_types type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    /** A plain word, of a file that the images do not describe. */
    static String plain(fd_types type) {
        return PLAIN.getOrDefault(type, kind(type));
    }

    /** What kind of file it is, in a plain word. */
    static String what(file_entry file, FileTable files) {
        return switch (file.getType()) {
            case REG -> MODES.getOrDefault(file.getReg().getMode() & 0170000, "file");
            case INETSK -> SocketText.what(file.getIsk());
            case UNIXSK -> SocketText.what(file.getUsk());
            case TTY -> terminal(files.terminal(file));
            default -> plain(file.getType());
        };
    }

    private static String terminal(tty_info_entry info) {
        if (info == null) {
            return "terminal";
        }
        return switch (info.getType()) {
            case PTY -> isMaster(info) ? "terminal master" : "terminal";
            case CONSOLE -> "console";
            case CTTY -> "controlling terminal";
            case SERIAL -> "serial line";
            default -> "terminal";
        };
    }

    /** Whether a pseudo-terminal is the master's side: device 5:2, /dev/ptmx. */
    static boolean isMaster(tty_info_entry info) {
        return info.getRdev() == (5 << 8 | 2);
    }

    /** Its path or another name; empty for none. */
    static String name(file_entry file, FileTable files) {
        return switch (file.getType()) {
            case REG -> file.getReg().getName() + (files.isNameless(file.getId()) ? " (deleted)" : "");
            case PIPE -> "pipe:[" + Integer.toUnsignedString(file.getPipe().getPipeId()) + "]";
            case FIFO -> files.path(file.getFifo().getRegfId());
            case UNIXSK -> SocketText.path(file.getUsk());
            case TTY -> terminalName(file, files);
            case MEMFD -> {
                memfd_inode_entry memfd = files.memfd(file);
                yield memfd == null ? "" : "memfd:" + memfd.getName();
            }
            default -> "";
        };
    }

    private static String terminalName(file_entry file, FileTable files) {
        tty_info_entry info = files.terminal(file);
        if (info != null && info.getType() == TtyType.PTY && info.hasPty()) {
            return (isMaster(info) ? "ptmx of /dev/pts/" : "/dev/pts/") + Integer.toUnsignedString(info.getPty().getIndex());
        }
        return files.path(file.getTty().getRegfId());
    }

    /** {@code r}, {@code w}, {@code rw}; empty for kinds where it means nothing. */
    static String access(file_entry file, FileTable files) {
        Integer flags = switch (file.getType()) {
            case REG -> Integer.valueOf(file.getReg().getFlags());
            case PIPE -> Integer.valueOf(file.getPipe().getFlags());
            case MEMFD -> Integer.valueOf(file.getMemfd().getFlags());
            case TTY -> Integer.valueOf(file.getTty().getFlags());
            case FIFO -> {
                file_entry path = files.get(file.getFifo().getRegfId());
                yield path == null ? null : Integer.valueOf(path.getReg().getFlags());
            }
            default -> null;
        };
        return flags == null ? "" : switch (flags & ACCESS) {
            case 0 -> "r";
            case 1 -> "w";
            case 2 -> "rw";
            default -> "";
        };
    }

    /** Its offset. */
    static long position(file_entry file) {
        return switch (file.getType()) {
            case REG -> file.getReg().getPos();
            case MEMFD -> file.getMemfd().getPos();
            default -> 0;
        };
    }

    /** Its size; -1 if the images do not tell. */
    static long size(file_entry file, FileTable files) {
        if (file.getType() == fd_types.MEMFD) {
            memfd_inode_entry memfd = files.memfd(file);
            return memfd == null ? -1 : memfd.getSize();
        }
        boolean known = file.getType() == fd_types.REG && file.getReg().hasSize() && (file.getReg().getMode() & 0170000) == 0100000;
        return known ? file.getReg().getSize() : -1;
    }

    /** What else is worth telling; empty for nothing. */
    static String detail(file_entry file) {
        return switch (file.getType()) {
            case EVENTFD -> "counter " + Long.toUnsignedString(file.getEfd().getCounter());
            case EVENTPOLL -> "watches " + file.getEpfd().getTfdCount() + (file.getEpfd().getTfdCount() == 1 ? " descriptor" : " descriptors");
            case INOTIFY -> file.getIfy().getWdCount() + (file.getIfy().getWdCount() == 1 ? " watch" : " watches");
            case FANOTIFY -> file.getFfy().getMarkCount() + (file.getFfy().getMarkCount() == 1 ? " mark" : " marks");
            case SIGNALFD -> String.format("signals 0x%x", file.getSgfd().getSigmask());
            case TIMERFD -> file.getTfd().getVsec() == 0 && file.getTfd().getVnsec() == 0 ? "not armed"
                    : "fires in " + Long.toUnsignedString(file.getTfd().getVsec()) + "." + String.format("%03d", file.getTfd().getVnsec() / 1000000 % 1000) + " s";
            case PIDFD -> "of pid " + file.getPidfd().getNspid();
            case NETLINKSK -> "protocol " + Integer.toUnsignedString(file.getNlsk().getProtocol());
            default -> "";
        };
    }
}
