// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import java.time.Duration;

/**
 * What a service allows its clients.
 *
 * @param socketMode permissions of the socket file, such as {@code rw-rw-rw-}: who may connect; what they may do there is another matter
 * @param maxConnections how many clients at once, of all users
 * @param maxConnectionsOfUser how many at once of one user other than root
 * @param firstRequest how long a client may be silent after it connected
 * @param laterRequest how long between one answer and the next request, and for an answer to a NOTIFY
 */
public record ServiceOptions(String socketMode, int maxConnections, int maxConnectionsOfUser, Duration firstRequest, Duration laterRequest) {
    /** Everybody may connect, as with CRIU's service: rights come from SO_PEERCRED. */
    public static final ServiceOptions DEFAULT = new ServiceOptions("rw-rw-rw-", 512, 64, Duration.ofMinutes(5), Duration.ofHours(2));

    /**
     * The same with other permissions of the socket file.
     *
     * @param mode such as {@code rw-------}
     * @return new options
     */
    public ServiceOptions withSocketMode(String mode) {
        return new ServiceOptions(mode, maxConnections, maxConnectionsOfUser, firstRequest, laterRequest);
    }
}
