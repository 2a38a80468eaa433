// SPDX-License-Identifier: MIT
/**
 * A checkpoint as one file: tar, compressed with Zstandard. Its first entry is {@code manifest.json}, which names every other entry with
 * size and SHA-256, so that whatever follows can be held against it while it streams by. Nothing here knows Jenkins.
 */
package io.jenkins.plugins.checkpoint.archive;
