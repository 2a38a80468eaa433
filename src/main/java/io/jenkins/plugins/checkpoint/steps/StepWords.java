// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import io.jenkins.plugins.checkpoint.agent.RpcOptions;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** The engine's advice in the words of a pipeline: it speaks of its own command line. */
final class StepWords {
    private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--([a-z]+(?:-[a-z]+)*)(?![\\w=-])");

    private StepWords() {}

    /**
     * Translates the names of options.
     *
     * @param message of the engine
     * @return the message with {@code shellJob: true} where it said {@code --shell-job}, for each option that steps have
     */
    static String of(String message) {
        return OPTION.matcher(message).replaceAll(StepWords::translate);
    }

    private static String translate(MatchResult option) {
        StringBuilder name = new StringBuilder();
        for (String word : option.group(1).split("-")) {
            name.append(name.isEmpty() ? word : Character.toUpperCase(word.charAt(0)) + word.substring(1));
        }
        String known = name.toString().equals("skipInFlight") ? "tcpSkipInFlight" : name.toString();
        if (!RpcOptions.names().contains(known)) {
            return option.group();
        }
        return RpcOptions.isFlag(known) ? known + ": true" : known;
    }
}
