// SPDX-License-Identifier: MIT
package jenkins.security.stapler;

import java.lang.annotation.Documented;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

@Documented
@Retention(RetentionPolicy.RUNTIME)
public @interface StaplerAccessibleType {
}
