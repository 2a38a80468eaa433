// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.util.FormValidation;
import hudson.util.ListBoxModel;

/** Form validation that pipeline steps and freestyle builders share: it only looks at what was typed. */
final class FormChecks {
    /** A check that throws when it does not like what it sees. */
    interface Check {
        void run();
    }

    private FormChecks() {}

    static FormValidation of(Check check) {
        try {
            check.run();
            return FormValidation.ok();
        } catch (IllegalArgumentException e) {
            return FormValidation.error(e.getMessage());
        }
    }

    /** Checks the name of a dump, which may be left out. */
    static FormValidation optionalName(String value) {
        return value == null || value.isBlank() ? FormValidation.ok() : of(() -> RunOptions.requireName(value.strip()));
    }

    static ListBoxModel engines() {
        return engines(Messages.Engine_Auto());
    }

    static ListBoxModel engines(String auto) {
        ListBoxModel items = new ListBoxModel();
        items.add(auto, "auto");
        items.add(Messages.Engine_Embedded(), "embedded");
        items.add(Messages.Engine_Criu(), "criu");
        return items;
    }
}
