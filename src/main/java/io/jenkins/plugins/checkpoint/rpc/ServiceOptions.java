// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import java.time.Duration;

/**
 * What a service allows its clients.
 *
 * @param socketMode permissions of the socket file, such as {@code rw-rw-rw-}: who may connect; what they may do there is another matter
 * @param socketGroup group of the socket file; empty for the one that the service's user has
 * @param maxConnections how many clients at once, of all users
 * @param maxConnectionsOfUser how many at once of one user other than root
 * @param maxActions how many dumps and restores at once, of all users
 * @param maxActionsOfUser how many at once of one user other than root
 * @param firstRequest how long a client may be silent after it connected
 * @param laterRequest how long between one answer and the next request
 * @param notifyAnswer how long a client may think about a NOTIFY; its processes may be frozen meanwhile
 */
public record ServiceOptions(String socketMode, String socketGroup, int maxConnections, int maxConnectionsOfUser, int maxActions, int maxActionsOfUser,
        Duration firstRequest, Duration laterRequest, Duration notifyAnswer) {
    /** Everybody may connect, as with CRIU's service: rights come from SO_PEERCRED. */
    public static final ServiceOptions DEFAULT = new ServiceOptions("rw-rw-rw-", "", 1024, 256, 128, 64, Duration.ofMinutes(5), Duration.ofHours(2),
            Duration.ofMinutes(10));

    /**
     * The same with another socket file.
     *
     * @param mode such as {@code rw-------}
     * @param group its group; empty for the one that the service's user has
     * @return new options
     */
    public ServiceOptions withSocket(String mode, String group) {
        return new ServiceOptions(mode, group, maxConnections, maxConnectionsOfUser, maxActions, maxActionsOfUser, firstRequest, laterRequest, notifyAnswer);
    }

    /**
     * The same with other permissions of the socket file.
     *
     * @param mode such as {@code rw-------}
     * @return new options
     */
    public ServiceOptions withSocketMode(String mode) {
        return withSocket(mode, socketGroup);
    }

    /**
     * The same with other limits.
     *
     * @param connections clients at once
     * @param connectionsOfUser clients at once of one user
     * @param actions dumps and restores at once
     * @param actionsOfUser dumps and restores at once of one user
     * @return new options
     */
    public ServiceOptions withLimits(int connections, int connectionsOfUser, int actions, int actionsOfUser) {
        return new ServiceOptions(socketMode, socketGroup, connections, connectionsOfUser, actions, actionsOfUser, firstRequest, laterRequest, notifyAnswer);
    }

    /**
     * The same with another patience.
     *
     * @param first for the first request
     * @param later for each later one
     * @param notify for the answer to a NOTIFY
     * @return new options
     */
    public ServiceOptions withPatience(Duration first, Duration later, Duration notify) {
        return new ServiceOptions(socketMode, socketGroup, maxConnections, maxConnectionsOfUser, maxActions, maxActionsOfUser, first, later, notify);
    }
}
