// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** RPC options as arguments of {@code pcr restore}, for those that a restore knows. */
final class RestoreArguments {
    private static final Map<String, String> FLAGS = Map.of("tcpEstablished", "--tcp-established", "tcpClose", "--tcp-close", "extUnixSk", "--ext-unix-sk",
            "shellJob", "--shell-job", "fileLocks", "--file-locks", "evasiveDevices", "--evasive-devices", "linkRemap", "--link-remap");
    private static final Set<String> VALUES = Set.of("external", "skipMnt");

    private RestoreArguments() {}

    static ArrayList<String> of(Map<String, Object> rpc) {
        ArrayList<String> arguments = new ArrayList<>();
        rpc.forEach((name, value) -> {
            if (FLAGS.containsKey(name) && Boolean.TRUE.equals(value)) {
                arguments.add(FLAGS.get(name));
            } else if (VALUES.contains(name) && value instanceof Collection<?> items) {
                for (Object item : items) {
                    arguments.addAll(List.of(name.equals("external") ? "--external" : "--skip-mnt", item.toString()));
                }
            }
        });
        return arguments;
    }
}
