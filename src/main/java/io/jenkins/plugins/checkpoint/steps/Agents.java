// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.FilePath;
import hudson.model.Computer;
import hudson.remoting.VirtualChannel;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import jenkins.model.Jenkins;

/** Finds agents by name; the name of the built-in node is empty. */
final class Agents {
    private static final Map<String, Semaphore> DUMPS = new ConcurrentHashMap<>();

    private Agents() {}

    /** Says whether an agent is still configured; an agent that is offline is. */
    static boolean exists(String node) {
        return Jenkins.get().getComputer(node) != null;
    }

    /** A directory of an agent, if it is connected. */
    static Optional<FilePath> find(String node, String path) {
        Computer computer = Jenkins.get().getComputer(node);
        VirtualChannel channel = computer == null ? null : computer.getChannel();
        return channel == null ? Optional.empty() : Optional.of(new FilePath(channel, path));
    }

    /** The name of the agent that a directory is on. */
    static String nameOf(FilePath place) {
        Computer computer = place.toComputer();
        return computer == null ? "" : computer.getName();
    }

    /** For the console. */
    static String display(String node) {
        return node.isEmpty() ? "the built-in node" : node;
    }

    /**
     * Waits until the agent makes fewer dumps at a time than it may.
     *
     * @param node its name
     * @param most how many
     * @return to be released when the dump is over
     */
    static Semaphore dumpBegins(String node, int most) throws InterruptedException {
        Semaphore semaphore = DUMPS.computeIfAbsent(node, name -> new Semaphore(most, true));
        semaphore.acquire();
        return semaphore;
    }

    /** A new limit holds for dumps that begin from now on. */
    static void limitsChanged() {
        DUMPS.clear();
    }
}
