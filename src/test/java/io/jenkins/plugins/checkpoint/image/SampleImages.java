// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import com.google.protobuf.MessageLite;
import io.jenkins.plugins.checkpoint.image.proto.CoreProto.core_entry;
import io.jenkins.plugins.checkpoint.image.proto.CoreProto.task_core_entry;
import io.jenkins.plugins.checkpoint.image.proto.CoreProto.task_kobj_ids_entry;
import io.jenkins.plugins.checkpoint.image.proto.CoreProto.thread_core_entry;
import io.jenkins.plugins.checkpoint.image.proto.CredsProto.creds_entry;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.fd_types;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.fdinfo_entry;
import io.jenkins.plugins.checkpoint.image.proto.FdinfoProto.file_entry;
import io.jenkins.plugins.checkpoint.image.proto.FownProto.fown_entry;
import io.jenkins.plugins.checkpoint.image.proto.InventoryProto.inventory_entry;
import io.jenkins.plugins.checkpoint.image.proto.MmProto.mm_entry;
import io.jenkins.plugins.checkpoint.image.proto.PagemapProto.pagemap_entry;
import io.jenkins.plugins.checkpoint.image.proto.PagemapProto.pagemap_head;
import io.jenkins.plugins.checkpoint.image.proto.PipeProto.pipe_entry;
import io.jenkins.plugins.checkpoint.image.proto.PstreeProto.pstree_entry;
import io.jenkins.plugins.checkpoint.image.proto.RegfileProto.reg_file_entry;
import io.jenkins.plugins.checkpoint.image.proto.VmaProto.vma_entry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A small images directory, written message by message: process 100 with threads 100 and 102, and its child 101, a zombie. */
public final class SampleImages {
    private static final int COMMON = 0x54564319;

    private SampleImages() {}

    /** Writes the sample into a directory, which is made. */
    public static Path write(Path directory) throws IOException {
        Files.createDirectories(directory);
        file(directory, "inventory.img", new int[] {0x58313116}, inventory_entry.newBuilder().setImgVersion(2).build());
        file(directory, "pstree.img", new int[] {COMMON, 0x50273030}, process(100, 0, 100, 102), process(101, 100, 101));
        file(directory, "core-100.img", new int[] {COMMON, 0x55053847}, core("soak", 1));
        file(directory, "core-102.img", new int[] {COMMON, 0x55053847}, core("worker", 1));
        file(directory, "core-101.img", new int[] {COMMON, 0x55053847}, core("gone", 6));
        file(directory, "files.img", new int[] {COMMON, 0x56303138},
                file_entry.newBuilder().setType(fd_types.REG).setId(1).setReg(reg_file_entry.newBuilder().setId(1).setFlags(0).setPos(77).setFown(fown())
                        .setName("/srv/progress.txt")).build(),
                file_entry.newBuilder().setType(fd_types.PIPE).setId(2).setPipe(pipe_entry.newBuilder().setId(2).setPipeId(5).setFlags(0).setFown(fown())).build(),
                file_entry.newBuilder().setType(fd_types.REG).setId(3).setReg(reg_file_entry.newBuilder().setId(3).setFlags(0).setPos(0).setFown(fown())
                        .setName("/usr/bin/soak")).build());
        file(directory, "fdinfo-4.img", new int[] {COMMON, 0x56213732}, descriptor(0, fd_types.REG, 1), descriptor(7, fd_types.PIPE, 2));
        file(directory, "mm-100.img", new int[] {COMMON, 0x57492820}, mm_entry.newBuilder().setMmStartCode(0).setMmEndCode(0).setMmStartData(0).setMmEndData(0)
                .setMmStartStack(0).setMmStartBrk(0).setMmBrk(0).setMmArgStart(0x7000ff8).setMmArgEnd(0x7001004).setMmEnvStart(0).setMmEnvEnd(0).setExeFileId(3)
                .addVmas(mapping(0x400000, 0x410000)).addVmas(mapping(0x7000000, 0x7002000)).addVmas(mapping(0xffffffffff600000L, 0xffffffffff601000L)).build());
        file(directory, "pagemap-100.img", new int[] {COMMON, 0x56084025}, pagemap_head.newBuilder().setPagesId(1).build(), run(0x400000, 1, 4),
                run(0x401000, 3, 1), run(0x7000000, 2, 4));
        byte[] pages = new byte[3 * 4096];
        // The arguments straddle the pages at 0x7000000 and 0x7001000, which are second and third in the file.
        byte[] arguments = "soak\0--hours".getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(arguments, 0, pages, 4096 + 0xff8, arguments.length);
        Files.write(directory.resolve("pages-1.img"), pages);
        return directory;
    }

    /** Writes the same processes as an incremental dump on top of another: the first of its three pages is new. */
    public static Path writeLater(Path directory, Path earlier) throws IOException {
        write(directory);
        Files.createSymbolicLink(directory.resolve("parent"), directory.relativize(earlier));
        file(directory, "pagemap-100.img", new int[] {COMMON, 0x56084025}, pagemap_head.newBuilder().setPagesId(1).build(), run(0x400000, 1, 4),
                run(0x7000000, 2, 1));
        byte[] pages = new byte[4096];
        Arrays.fill(pages, (byte) 0x5a);
        Files.write(directory.resolve("pages-1.img"), pages);
        return directory;
    }

    static void file(Path directory, String name, int[] magics, MessageLite... entries) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int magic : magics) {
            out.writeBytes(number(magic));
        }
        for (MessageLite entry : entries) {
            out.writeBytes(number(entry.getSerializedSize()));
            out.writeBytes(entry.toByteArray());
        }
        Files.write(directory.resolve(name), out.toByteArray());
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
    }

    static pstree_entry process(int pid, int parent, int... threads) {
        pstree_entry.Builder entry = pstree_entry.newBuilder().setPid(pid).setPpid(parent).setPgid(100).setSid(100);
        for (int thread : threads) {
            entry.addThreads(thread);
        }
        return entry.build();
    }

    private static core_entry core(String name, int state) {
        return core_entry.newBuilder().setMtype(core_entry.march.X86_64)
                .setTc(task_core_entry.newBuilder().setTaskState(state).setExitCode(0).setPersonality(0).setFlags(0).setBlkSigset(0).setComm(name))
                .setThreadCore(thread_core_entry.newBuilder().setFutexRla(0).setFutexRlaLen(0).setComm(name).setCreds(creds_entry.newBuilder().setUid(1000).setEuid(1000)
                        .setSuid(1000).setFsuid(1000).setGid(100).setEgid(100).setSgid(100).setFsgid(100).setSecbits(0).addCapEff(0).addCapEff(1)))
                .setIds(task_kobj_ids_entry.newBuilder().setVmId(1).setFilesId(4).setFsId(1).setSighandId(1)).build();
    }

    private static fown_entry fown() {
        return fown_entry.newBuilder().setUid(0).setEuid(0).setSignum(0).setPidType(0).setPid(0).build();
    }

    static fdinfo_entry descriptor(int number, fd_types type, int id) {
        return fdinfo_entry.newBuilder().setFd(number).setType(type).setId(id).setFlags(0).build();
    }

    private static vma_entry mapping(long start, long end) {
        return vma_entry.newBuilder().setStart(start).setEnd(end).setPgoff(0).setShmid(0).setProt(3).setFlags(0x22).setStatus(1).setFd(-1).build();
    }

    static pagemap_entry run(long address, int pages, int flags) {
        return pagemap_entry.newBuilder().setVaddr(address).setCompatNrPages(pages).setFlags(flags).build();
    }
}
