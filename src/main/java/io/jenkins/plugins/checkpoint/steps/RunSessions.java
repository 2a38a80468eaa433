// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.model.Run;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** The runs that go on, by build, so that a step in another branch finds them by name. */
final class RunSessions {
    private static final Map<String, List<RunSession>> SESSIONS = new ConcurrentHashMap<>();

    private RunSessions() {}

    /** No run has that name, so far. */
    static final class NotYetException extends AbortException {
        private static final long serialVersionUID = 1;

        NotYetException(String message) {
            super(message);
        }
    }

    static void add(Run<?, ?> build, RunSession session) {
        List<RunSession> sessions = SESSIONS.computeIfAbsent(build.getExternalizableId(), key -> new CopyOnWriteArrayList<>());
        sessions.removeIf(other -> other.id.equals(session.id));
        sessions.add(session);
    }

    /** After a restart of the controller the run is known again as soon as it is looked at. */
    static void adopt(Run<?, ?> build, RunSession session) {
        if (session.isStarted()) {
            List<RunSession> sessions = SESSIONS.get(build.getExternalizableId());
            if (sessions == null || !sessions.contains(session)) {
                add(build, session);
            }
        }
    }

    /** The runs on an agent. */
    static List<RunSession> on(String node) {
        return SESSIONS.values().stream().flatMap(List::stream).filter(session -> session.node.equals(node)).toList();
    }

    static void remove(Run<?, ?> build, RunSession session) {
        SESSIONS.computeIfPresent(build.getExternalizableId(), (key, sessions) -> {
            sessions.removeIf(other -> other.id.equals(session.id));
            return sessions.isEmpty() ? null : sessions;
        });
    }

    /**
     * Finds a run by name.
     *
     * @param build the build
     * @param name the run's
     * @return the only one
     * @throws AbortException if there is none, or more than one; the message names those that are there
     */
    static RunSession require(Run<?, ?> build, String name) throws AbortException {
        List<RunSession> all = SESSIONS.getOrDefault(build.getExternalizableId(), List.of());
        List<RunSession> found = all.stream().filter(session -> session.options.name.equals(name)).toList();
        if (found.isEmpty()) {
            throw new NotYetException(all.isEmpty() ? Messages.Dump_NoRuns(name)
                    : Messages.Dump_NoSuchRun(name, String.join(", ", all.stream().map(session -> session.options.name).distinct().toList())));
        }
        if (found.size() > 1) {
            throw new AbortException(Messages.Dump_ManyRuns(name, String.valueOf(found.size())));
        }
        return found.get(0);
    }
}
