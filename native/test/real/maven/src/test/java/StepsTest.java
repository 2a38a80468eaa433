// SPDX-License-Identifier: MIT
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StepsTest {
    private static int last;

    static IntStream steps() {
        return IntStream.rangeClosed(1, Integer.getInteger("steps"));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void step(int step) throws Exception {
        assertEquals(last + 1, step);
        last = step;
        Thread.sleep(25);
        Files.writeString(Path.of(System.getProperty("dir"), "progress"), step + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
}
