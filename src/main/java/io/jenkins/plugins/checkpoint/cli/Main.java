// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.cli.demo.DemoCommand;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Entry point of process-checkpoint-cli.jar. */
@Command(name = "process-checkpoint", mixinStandardHelpOptions = true, versionProvider = Main.Version.class, sortOptions = false,
        description = "Freezes running processes to disk and brings them back.",
        subcommands = {ServiceCommand.class, DumpCommand.class, RestoreCommand.class, CheckCommand.class, InspectCommand.class, DiffCommand.class, PackCommand.class,
                UnpackCommand.class, DemoCommand.class},
        footer = {"", "Exit status: 0 done, 1 failed, 2 not understood.", "VERB --help tells more."})
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "say what to do: one of " + String.join(", ", spec.subcommands().keySet()));
    }

    /**
     * Runs one command and ends the JVM with its status.
     *
     * @param arguments the command line
     */
    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    /**
     * Runs one command.
     *
     * @param arguments the command line
     * @return exit status: 0 done, 1 failed, 2 not understood
     */
    public static int run(String... arguments) {
        return commandLine().execute(arguments);
    }

    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Main());
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler((error, args) -> {
            CommandLine where = error.getCommandLine();
            where.getErr().println(where.getCommandSpec().qualifiedName() + ": " + error.getMessage() + "; try --help");
            return 2;
        });
        line.setExecutionExceptionHandler((error, where, result) -> {
            String name = where.getCommandSpec().qualifiedName();
            if (error instanceof IOException || error instanceof IllegalArgumentException) {
                where.getErr().println(name + ": " + explain(error));
            } else {
                // Not the user's mistake but ours: here a stack trace is what is needed.
                where.getErr().println(name + ": internal error");
                error.printStackTrace(where.getErr());
            }
            return 1;
        });
        return line;
    }

    // File system exceptions carry a bare path as their message.
    private static String explain(Exception error) {
        if (error instanceof FileSystemException file && file.getReason() == null) {
            String what = error instanceof NoSuchFileException ? "no such file or directory"
                    : error instanceof AccessDeniedException ? "permission denied"
                    : error instanceof NotDirectoryException ? "not a directory"
                    : error instanceof FileAlreadyExistsException ? "exists already"
                    : error instanceof DirectoryNotEmptyException ? "not empty"
                    : error.getClass().getSimpleName();
            return file.getFile() + ": " + what;
        }
        return error.getMessage() == null ? error.toString() : error.getMessage();
    }

    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"process-checkpoint " + (version == null ? "(development)" : version)};
        }
    }
}
