// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.checkpoint.build.ArtifactGuard.Wish;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArtifactGuardTest {
    @ParameterizedTest
    @CsvSource({
        "/job/a/1/artifact/checkpoints/soak/1.tar.zst, ARCHIVE",
        "/job/a/1/artifact//checkpoints/soak/1.tar.zst/*view*/, ARCHIVE",
        "/job/a/lastBuild/artifact/checkpoints/so%61k/1%2Etar.zst, ARCHIVE",
        "/view/all/job/f/job/a/1/artifact/%63heckpoints/x/12.tar.lz4, ARCHIVE",
        "/static-files/TOKEN/checkpoints/soak/1.tar.zst, ARCHIVE",
        "/job/a/1/artifact/*zip*/archive.zip, ZIP",
        "/job/a/1/artifact/**/*.zst/*zip*/x.zip, ZIP",
        "/job/a/1/artifact/checkpoints/soak/1.json, OTHER",
        "/job/a/1/artifact/checkpoints/soak/, OTHER",
        "/job/a/1/artifact/out/1.tar.zst, OTHER",
        "/job/a/1/checkpoints/name/soak/1/download, OTHER",
        "/job/a/ws/checkpoints/soak/1.tar.zst, OTHER",
        "/, OTHER"})
    void seesWhatARequestIsAfter(String path, Wish wish) {
        assertThat(ArtifactGuard.wish(ArtifactGuard.segments(path))).isEqualTo(wish);
    }

    @Test
    void findsJobAndBuild() {
        List<String> path = ArtifactGuard.segments("/view/all/job/f%20o/job/a/lastBuild/artifact/job/checkpoints/1.tar.zst");
        assertThat(ArtifactGuard.jobName(path)).isEqualTo("f o/a");
        assertThat(ArtifactGuard.build(path)).isEqualTo("lastBuild");
        assertThat(ArtifactGuard.jobName(ArtifactGuard.segments("/computer/x/executors/0/currentExecutable/artifact/a"))).isEmpty();
    }
}
