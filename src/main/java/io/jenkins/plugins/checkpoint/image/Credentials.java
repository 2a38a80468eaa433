// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

/**
 * Who a process is, by credentials(7).
 *
 * @param uid real user
 * @param euid effective user
 * @param gid real group
 * @param egid effective group
 * @param capabilities effective ones, a bit for each (linux/capability.h)
 * @param seccomp {@code off}, {@code strict} or {@code filter}
 */
public record Credentials(long uid, long euid, long gid, long egid, long capabilities, String seccomp) {
    /** When the images do not tell, as for a zombie. */
    public static final Credentials NONE = new Credentials(0, 0, 0, 0, 0, "off");
}
