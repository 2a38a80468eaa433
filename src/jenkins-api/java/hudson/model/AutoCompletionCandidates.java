// SPDX-License-Identifier: MIT
package hudson.model;

import org.kohsuke.stapler.HttpResponse;

public class AutoCompletionCandidates implements HttpResponse {
    public AutoCompletionCandidates() {
        throw new UnsupportedOperationException();
    }

    public AutoCompletionCandidates add(String text) {
        throw new UnsupportedOperationException();
    }

    public AutoCompletionCandidates add(String[] strings) {
        throw new UnsupportedOperationException();
    }

    public static <T extends Item> AutoCompletionCandidates ofJobNames(Class<T> type, String text, Item item, ItemGroup itemGroup) {
        throw new UnsupportedOperationException();
    }
}
