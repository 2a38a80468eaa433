// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.rpc.ServiceOptions;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import picocli.CommandLine.Option;

/** The options that say whom a service lets in, how many of them, and how long it waits for each. */
final class ServiceLimits {
    @Option(names = "--mode", paramLabel = "OCTAL", defaultValue = "666",
            description = "permissions of the socket file: who may connect (default: ${DEFAULT-VALUE}, as CRIU's)")
    private String mode;

    @Option(names = "--group", paramLabel = "NAME", defaultValue = "", description = "group of the socket file")
    private String group;

    @Option(names = "--max-connections", paramLabel = "N", defaultValue = "1024", description = "clients at once (default: ${DEFAULT-VALUE})")
    private int connections;

    @Option(names = "--max-connections-per-user", paramLabel = "N", defaultValue = "256",
            description = "clients at once of one user other than root (default: ${DEFAULT-VALUE})")
    private int connectionsOfUser;

    @Option(names = "--max-dumps", paramLabel = "N", defaultValue = "128", description = "dumps and restores at once (default: ${DEFAULT-VALUE})")
    private int actions;

    @Option(names = "--max-dumps-per-user", paramLabel = "N", defaultValue = "64",
            description = "dumps and restores at once of one user other than root (default: ${DEFAULT-VALUE})")
    private int actionsOfUser;

    @Option(names = "--connect-timeout", paramLabel = "TIME", defaultValue = "5m", converter = TimeSpan.class,
            description = "how long a client may be silent after it connected (default: ${DEFAULT-VALUE})")
    private Duration first;

    @Option(names = "--idle-timeout", paramLabel = "TIME", defaultValue = "2h", converter = TimeSpan.class,
            description = "how long between an answer and the next request (default: ${DEFAULT-VALUE})")
    private Duration later;

    @Option(names = "--notify-timeout", paramLabel = "TIME", defaultValue = "10m", converter = TimeSpan.class,
            description = "how long a client may think about a notification; then its dump is taken back (default: ${DEFAULT-VALUE})")
    private Duration notify;

    /**
     * What the options say.
     *
     * @return for {@link io.jenkins.plugins.checkpoint.rpc.CriuService}
     * @throws IllegalArgumentException if one of them makes no sense
     */
    ServiceOptions options() {
        for (int limit : new int[] {connections, connectionsOfUser, actions, actionsOfUser}) {
            if (limit < 1) {
                throw new IllegalArgumentException("a limit of " + limit + " would turn everybody away: expected 1 or more");
            }
        }
        return ServiceOptions.DEFAULT.withSocket(permissions(mode), group).withLimits(connections, connectionsOfUser, actions, actionsOfUser)
                .withPatience(first, later, notify);
    }

    private static String permissions(String octal) {
        if (!octal.matches("0?[0-7]{3}")) {
            throw new IllegalArgumentException("--mode " + octal + ": expected three octal digits, such as 660");
        }
        int bits = Integer.parseInt(octal, 8);
        Set<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
        // The enum's order is that of the bits, from 0400 down to 0001.
        for (PosixFilePermission permission : PosixFilePermission.values()) {
            if ((bits >> (8 - permission.ordinal()) & 1) != 0) {
                set.add(permission);
            }
        }
        return PosixFilePermissions.toString(set);
    }
}
