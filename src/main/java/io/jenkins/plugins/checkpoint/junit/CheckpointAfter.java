// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.junit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Checkpoints the JVM after a test method, or after the last test of a class: {@link Checkpoints#now}. On a {@code @BeforeAll} or
 * {@code @BeforeEach} method it does so after that method, if the class has it too or {@code @ExtendWith(CheckpointExtension.class)}: JUnit
 * takes extensions from classes and tests only.
 */
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(CheckpointExtension.class)
public @interface CheckpointAfter {
    /**
     * What is checkpointed, for people.
     *
     * @return empty for the name of class and method
     */
    String value() default "";

    /**
     * What is allowed beyond the ordinary.
     *
     * @return CRIU's options
     */
    CheckpointOption[] options() default {};

    /**
     * Whether a checkpoint that cannot be made fails the test.
     *
     * @return false if it is only told of on standard error
     */
    boolean required() default false;
}
