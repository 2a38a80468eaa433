// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import java.io.Closeable;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * What a verb does, how far it is and how fast it goes, on one line of standard error, if that is a terminal; else nothing. The line comes after half a
 * second, and leaves nothing.
 */
final class ProgressBar implements Closeable {
    private static final long FIRST_MILLIS = 500;
    private static final long NEXT_MILLIS = 200;
    private static final int CELLS = 24;
    private static final String CLEAR = "\r\u001b[K";
    private static final double MIB = 1 << 20;

    private final PrintStream terminal; // null: there is none
    private final Thread thread = new Thread(this::draw, "progress bar");
    private final Phase phase;
    private boolean closed; // guarded by this

    private record Phase(String name, LongSupplier done, long before, long total, long start) {}

    private ProgressBar(PrintStream terminal, Phase first) {
        this.terminal = terminal;
        phase = first;
    }

    /**
     * Begins.
     *
     * @param name of the first phase
     * @param done asked for the bytes that are done, by a thread of the bar's own
     * @param total bytes that there will be, as far as is known; 0: not known
     * @return the bar; closing takes it away
     */
    static ProgressBar start(String name, LongSupplier done, long total) {
        String term = System.getenv("TERM");
        boolean shown = isTerminal(2) && term != null && !term.equals("dumb");
        ProgressBar bar = new ProgressBar(shown ? System.err : null, new Phase(name, done, done.getAsLong(), total, System.nanoTime()));
        if (shown) {
            bar.thread.setDaemon(true);
            bar.thread.start();
        }
        return bar;
    }

    // System.console() looks at the other two.
    private static boolean isTerminal(int descriptor) {
        try {
            Path device = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor));
            return device.startsWith("/dev/pts") || device.toString().startsWith("/dev/tty") || device.toString().equals("/dev/console");
        } catch (IOException | RuntimeException e) {
            return false;
        }
    }

    private synchronized void draw() {
        try {
            for (long wait = FIRST_MILLIS; !closed; wait = NEXT_MILLIS) {
                wait(wait);
                if (!closed) {
                    terminal.print(CLEAR + text(phase, System.nanoTime()));
                    terminal.flush();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String text(Phase phase, long now) {
        return line(phase.name(), phase.done().getAsLong(), phase.before(), phase.total(), now - phase.start());
    }

    /** One line of less than 80 characters. before: done when the phase began, nanos ago. */
    static String line(String name, long done, long before, long total, long nanos) {
        double seconds = Math.max(nanos, 1) / 1e9;
        double rate = Math.max(done - before, 0) / MIB / seconds;
        if (total <= 0) {
            return done <= 0 ? String.format(Locale.ROOT, "%s, %.1f s", name, seconds)
                    : String.format(Locale.ROOT, "%s, %.0f MiB, %.0f MiB/s", name, done / MIB, rate);
        }
        double part = Math.min(1, done / (double) total);
        int full = (int) (part * CELLS);
        return String.format(Locale.ROOT, "%s [%s%s] %3.0f %%, %.0f of %.0f MiB, %.0f MiB/s", name, "#".repeat(full), ".".repeat(CELLS - full), 100 * part,
                done / MIB, total / MIB, rate);
    }

    /** Takes the bar away: what is printed next begins a line. */
    @Override
    public void close() {
        synchronized (this) {
            if (terminal == null || closed) {
                return;
            }
            closed = true;
            notifyAll();
            terminal.print(CLEAR);
            terminal.flush();
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
