// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.image.proto.CoreProto.core_entry;
import io.jenkins.plugins.checkpoint.image.proto.CredsProto.creds_entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.UnaryOperator;

/** What a user could write into a core image to become more than it is. */
enum HostileCredentials {
    ROOT(creds -> creds.setUid(0).setEuid(0).setSuid(0).setFsuid(0)),
    SAVED_ROOT(creds -> creds.setSuid(0)),
    FILESYSTEM_ROOT(creds -> creds.setFsuid(0)),
    ROOTS_GROUP(creds -> creds.setGid(0).setEgid(0).setSgid(0).setFsgid(0)),
    SUPPLEMENTARY_GROUP(creds -> creds.addGroups(0)),
    ALL_CAPABILITIES(creds -> caps(creds, 0xffffffff, 0x1ff)),
    /** The one that the engine has: CAP_CHECKPOINT_RESTORE, number 40. */
    THE_ENGINES_CAPABILITY(creds -> caps(creds, 0, 1 << 8)),
    AMBIENT(creds -> caps(creds, 0, 1 << 8).clearCapInh().addCapInh(0).addCapInh(1 << 8).clearCapAmb().addCapAmb(0).addCapAmb(1 << 8)),
    /** Without any the engine's own would stay. */
    NONE(creds -> null);

    private final UnaryOperator<creds_entry.Builder> change;

    HostileCredentials(UnaryOperator<creds_entry.Builder> change) {
        this.change = change;
    }

    private static creds_entry.Builder caps(creds_entry.Builder creds, int low, int high) {
        return creds.clearCapPrm().addCapPrm(low).addCapPrm(high).clearCapEff().addCapEff(low).addCapEff(high);
    }

    /** The image file, changed: two magic numbers, then the entry's size and the entry. */
    byte[] applyTo(byte[] image) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        int size = in.getInt(8);
        core_entry.Builder core = core_entry.parseFrom(Arrays.copyOfRange(image, 12, 12 + size)).toBuilder();
        creds_entry.Builder changed = change.apply(core.getThreadCore().getCreds().toBuilder());
        if (changed == null) {
            core.getThreadCoreBuilder().clearCreds();
        } else {
            core.getThreadCoreBuilder().setCreds(changed);
        }
        byte[] entry = core.build().toByteArray();
        return ByteBuffer.allocate(12 + entry.length).order(ByteOrder.LITTLE_ENDIAN).put(image, 0, 8).putInt(entry.length).put(entry).array();
    }
}
