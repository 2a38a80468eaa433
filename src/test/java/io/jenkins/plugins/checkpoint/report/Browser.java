// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.checkpoint.archive.Json;
import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A headless Chromium, driven by its WebDriver (W3C) with nothing between. */
final class Browser implements AutoCloseable {
    private final HttpClient client = HttpClient.newHttpClient();
    private final Process driver;
    private final String address;
    private String session;

    private Browser(Process driver, String address) {
        this.driver = driver;
        this.address = address;
    }

    /** Starts one; the test is skipped where there is none. */
    static Browser startOrSkip(Path scratch) throws IOException, InterruptedException {
        Optional<Path> program = onPath("chromium", "chromium-browser", "google-chrome");
        Optional<Path> driver = onPath("chromedriver");
        assumeTrue(program.isPresent() && driver.isPresent(), "chromium and chromedriver are not installed (tools/setup)");
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        Process process = new ProcessBuilder(driver.get().toString(), "--port=" + port).redirectErrorStream(true)
                .redirectOutput(scratch.resolve("chromedriver.log").toFile()).start();
        Browser browser = new Browser(process, "http://127.0.0.1:" + port);
        try {
            browser.begin(program.get(), scratch);
            return browser;
        } catch (IOException | InterruptedException | RuntimeException e) {
            browser.close();
            throw e;
        }
    }

    private static Optional<Path> onPath(String... names) {
        return Stream.of(names).flatMap(name -> Stream.of(System.getenv("PATH").split(File.pathSeparator)).map(directory -> Path.of(directory, name)))
                .filter(Files::isExecutable).findFirst();
    }

    private void begin(Path program, Path scratch) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (true) {
            try {
                call("GET", "/status", null);
                break;
            } catch (IOException e) {
                if (System.nanoTime() > deadline || !driver.isAlive()) {
                    throw e;
                }
                Thread.onSpinWait();
            }
        }
        Object options = Map.of("binary", program.toString(), "args", List.of("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir=" + scratch.resolve("profile")));
        Map<?, ?> made = (Map<?, ?>) call("POST", "/session", Map.of("capabilities", Map.of("alwaysMatch", Map.of("goog:loggingPrefs", Map.of("browser", "ALL"),
                "goog:chromeOptions", options))));
        session = "/session/" + made.get("sessionId");
    }

    /** Opens a file. */
    void open(Path page) throws IOException, InterruptedException {
        call("POST", session + "/url", Map.of("url", page.toUri().toString()));
    }

    /** Makes the window so wide, and prefer a colour scheme. */
    void look(int width, String scheme) throws IOException, InterruptedException {
        command("Emulation.setDeviceMetricsOverride", Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", false));
        command("Emulation.setEmulatedMedia", Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    }

    private void command(String name, Map<String, ?> parameters) throws IOException, InterruptedException {
        call("POST", session + "/goog/cdp/execute", Map.of("cmd", name, "params", parameters));
    }

    /** Runs JavaScript in the page, past its Content-Security-Policy; the value that it returns. */
    Object run(String script) throws IOException, InterruptedException {
        return call("POST", session + "/execute/sync", Map.of("script", script, "args", List.of()));
    }

    /** Presses keys, by their WebDriver code points. */
    void press(String keys) throws IOException, InterruptedException {
        List<Object> actions = keys.codePoints().mapToObj(Character::toString).<Object>flatMap(key -> Stream.of(Map.of("type", "keyDown", "value", key),
                Map.of("type", "keyUp", "value", key))).toList();
        call("POST", session + "/actions", Map.of("actions", List.of(Map.of("type", "key", "id", "keyboard", "actions", actions))));
    }

    /** What the console was told since the last call: errors, warnings, and what the policy blocked. */
    List<?> console() throws IOException, InterruptedException {
        return (List<?>) call("POST", session + "/se/log", Map.of("type", "browser"));
    }

    private Object call(String method, String path, Object body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address + path)).timeout(Duration.ofMinutes(2)).header("Content-Type", "application/json")
                .method(method, body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(Json.write(body))).build();
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException(path + ": " + response.body());
        }
        return ((Map<?, ?>) Json.parse(response.body())).get("value");
    }

    @Override
    public void close() throws IOException {
        try {
            if (session != null) {
                call("DELETE", session, null);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            driver.descendants().forEach(ProcessHandle::destroyForcibly);
            driver.destroyForcibly();
        }
    }
}
