// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.Serializable;

/**
 * How a run goes.
 *
 * @param text what it printed since the last look
 * @param status null while it runs or has printed more than fits here; else its exit status, {@link #CHECKPOINTED} or {@link #GONE}
 * @param failed the script failed and waits to be let go on
 * @param shutdown the agent shuts down and waits to be released
 */
public record RunState(byte[] text, String status, boolean failed, boolean shutdown) implements Serializable {
    /** A dump ended the run. */
    public static final String CHECKPOINTED = "checkpointed";
    /** Neither a supervisor nor a status is there: killed from outside, or the machine was started anew. */
    public static final String GONE = "gone";
}
