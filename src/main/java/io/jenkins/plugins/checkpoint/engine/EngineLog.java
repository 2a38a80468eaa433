// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes what an engine prints into the service's log, line by line, within bounds: what is beyond them is read and dropped. */
final class EngineLog {
    private static final Logger LOG = LoggerFactory.getLogger(EngineLog.class);
    private static final int MAX_LINES = 500;
    private static final int MAX_LINE = 1000;

    private final String heading;
    private final boolean quiet;
    private final ProgressLines progress;
    private final Thread thread;
    private volatile String lastLine;
    private int lines;

    private EngineLog(Process process, String name, boolean quiet) {
        this.quiet = quiet;
        this.heading = name + "[" + process.pid() + "]";
        this.progress = new ProgressLines(ProgressLines.EVERY, text -> LOG.info("{}: {}", heading, text));
        this.thread = new Thread(() -> read(process.getInputStream()), heading);
        this.thread.setDaemon(true);
    }

    /**
     * Starts reading.
     *
     * @param process the engine, its standard error merged into its output
     * @param name what its lines are headed with
     * @param quiet if its lines say nothing that its answer does not say: they are logged as debugging only
     */
    static EngineLog follow(Process process, String name, boolean quiet) {
        EngineLog log = new EngineLog(process, name, quiet);
        log.thread.start();
        return log;
    }

    private void read(InputStream output) {
        StringBuilder line = new StringBuilder();
        try (InputStream in = new BufferedInputStream(output)) {
            for (int c = in.read(); c >= 0; c = in.read()) {
                if (c == '\n') {
                    take(line);
                } else if (line.length() < MAX_LINE) {
                    line.append((char) c);
                }
            }
        } catch (IOException e) {
            LOG.debug("{}: {}", heading, e.getMessage());
        }
        take(line);
    }

    private void take(StringBuilder bytes) {
        if (!bytes.isEmpty()) {
            String text = new String(bytes.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", "?");
            bytes.setLength(0);
            if (progress.take(text)) {
                return;
            }
            lastLine = text;
            if (quiet) {
                LOG.debug("{}: {}", heading, text);
            } else if (lines < MAX_LINES) {
                LOG.info("{}: {}", heading, text);
            } else if (lines == MAX_LINES) {
                LOG.warn("{}: more than {} lines; the rest is dropped", heading, MAX_LINES);
            }
            lines++;
        }
    }

    /** The last line printed, once the engine has ended; restored processes may hold its pipe open, so the wait is short. */
    Optional<String> lastLine() {
        try {
            thread.join(TimeUnit.SECONDS.toMillis(1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return Optional.ofNullable(lastLine);
    }
}
