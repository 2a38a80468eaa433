// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import io.jenkins.plugins.checkpoint.archive.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a restore has to know of a run: travels in the images directory.
 *
 * @param home the directory of the run that was started first: the shell has its script open there, through all restores
 * @param directory the directory of the run that was dumped, where its log is open
 * @param workspace the directory that it runs in
 * @param socket the RPC socket that its processes were told of
 * @param keepOutput whether standard output was kept apart
 */
record RunMetadata(String home, String directory, String workspace, String socket, boolean keepOutput) {
    static final String FILE = "run.json";
    private static final long MAX_SIZE = 64 << 10;

    void write(Path file) throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("home", home);
        json.put("directory", directory);
        json.put("workspace", workspace);
        json.put("socket", socket);
        json.put("keepOutput", keepOutput);
        Files.writeString(file, Json.write(json));
    }

    /**
     * Reads it, from an archive that anybody may have made.
     *
     * @param images an images directory
     * @throws AgentException if it is not there or is none
     */
    static RunMetadata read(Path images) throws IOException {
        Path file = images.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new AgentException("this checkpoint was not made by checkpointRun or by name (it has no " + FILE
                    + "): unpack it and restore it with pcr or the command line");
        }
        if (Files.size(file) > MAX_SIZE) {
            throw new AgentException(FILE + " in the archive is too large to be true");
        }
        try {
            Map<?, ?> json = (Map<?, ?>) Json.parse(Files.readString(file));
            return new RunMetadata(path(json, "home"), path(json, "directory"), path(json, "workspace"), path(json, "socket"), Boolean.TRUE.equals(json.get("keepOutput")));
        } catch (IllegalArgumentException | ClassCastException e) {
            throw new AgentException("damaged " + FILE + " in the archive: " + e.getMessage());
        }
    }

    private static String path(Map<?, ?> json, String key) {
        String value = String.valueOf(json.get(key));
        Path path = Path.of(value);
        if (!path.isAbsolute() || !path.normalize().equals(path) || value.length() > 4095 || path.getNameCount() < 2) {
            throw new IllegalArgumentException("\"" + key + "\" is not an absolute path");
        }
        return value;
    }
}
