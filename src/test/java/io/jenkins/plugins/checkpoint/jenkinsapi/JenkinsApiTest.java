// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.jenkinsapi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.Handle;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** What the plugin is compiled against, and what it calls, is what a real Jenkins has. */
class JenkinsApiTest {
    private static final String SIGNATURES = "io/jenkins/plugins/checkpoint/signatures/";

    private static JenkinsFacts facts;

    @BeforeAll
    static void load() throws IOException {
        facts = JenkinsFacts.load();
    }

    @Test
    void signaturesAreJenkinsOwn() throws Exception {
        Path root = directoryOf(signaturesClass());
        List<String> wrong = new ArrayList<>();
        List<String> seen = new ArrayList<>();
        forEachClass(root, (name, reader) -> {
            if (!name.startsWith(SIGNATURES)) {
                seen.add(name);
                reader.accept(new SignatureChecker(name, wrong), ClassReader.SKIP_CODE);
            }
        });
        assertThat(seen).contains("hudson/model/Run", "org/jenkinsci/plugins/workflow/steps/Step");
        assertThat(wrong).isEmpty();
    }

    @Test
    void pluginCallsOnlyWhatJenkinsHas() throws Exception {
        Set<String> wrong = new TreeSet<>();
        Set<String> used = new TreeSet<>();
        forEachClass(directoryOf(Class.forName("io.jenkins.plugins.checkpoint.steps.CheckpointConfiguration")), (name, reader) ->
                reader.accept(new CallChecker(name, used, wrong), 0));
        assertThat(used).contains("jenkins/model/GlobalConfiguration.<init>()V");
        assertThat(wrong).isEmpty();
    }

    // With -Pjenkins there are the real classes only.
    private static Class<?> signaturesClass() {
        try {
            return Class.forName("io.jenkins.plugins.checkpoint.signatures.Signatures");
        } catch (ClassNotFoundException e) {
            assumeTrue(false, "compiled against Jenkins itself, not against src/jenkins-api");
            throw new AssertionError(e);
        }
    }

    private static Path directoryOf(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    private static void forEachClass(Path root, BiConsumer<String, ClassReader> action) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : (Iterable<Path>) files.filter(path -> path.toString().endsWith(".class"))::iterator) {
                ClassReader reader = new ClassReader(Files.readAllBytes(file));
                action.accept(reader.getClassName(), reader);
            }
        }
    }

    static boolean isJenkins(String type) {
        return facts.type(type).isPresent() || Stream.of("hudson/", "jenkins/", "org/kohsuke/", "org/jenkinsci/", "net/sf/json/").anyMatch(type::startsWith);
    }

    /** Holds one signature class against the facts. */
    private static final class SignatureChecker extends ClassVisitor {
        private final String name;
        private final List<String> wrong;
        private JenkinsFacts.Type real;

        SignatureChecker(String name, List<String> wrong) {
            super(Opcodes.ASM9);
            this.name = name;
            this.wrong = wrong;
        }

        @Override
        public void visit(int version, int access, String type, String signature, String superName, String[] interfaces) {
            Optional<JenkinsFacts.Type> found = facts.type(name);
            if (found.isEmpty()) {
                wrong.add(name + ": Jenkins has no such type");
                return;
            }
            real = found.get();
            expectFlag(name, access, Opcodes.ACC_INTERFACE, "interface", real.access());
            expectFlag(name, access, Opcodes.ACC_ABSTRACT, "abstract", real.access());
            Set<String> ancestors = facts.ancestors(name);
            Stream.concat(Stream.of(superName), Arrays.stream(interfaces)).filter(ancestor -> !ancestor.equals("java/lang/Object") && !ancestors.contains(ancestor))
                    .forEach(ancestor -> wrong.add(name + ": is no " + ancestor + " in Jenkins"));
        }

        @Override
        public FieldVisitor visitField(int access, String field, String descriptor, String signature, Object value) {
            check(access, field, descriptor, signature);
            return null;
        }

        @Override
        public MethodVisitor visitMethod(int access, String method, String descriptor, String signature, String[] exceptions) {
            check(access, method, descriptor, signature);
            return null;
        }

        private void check(int access, String member, String descriptor, String signature) {
            if (real == null || (access & (Opcodes.ACC_PUBLIC | Opcodes.ACC_PROTECTED)) == 0 || (access & Opcodes.ACC_SYNTHETIC) != 0) {
                return;
            }
            JenkinsFacts.Member fact = real.members().get(member + descriptor);
            String where = name + "." + member + descriptor;
            if (fact == null) {
                wrong.add(where + ": Jenkins has no such member");
                return;
            }
            expectFlag(where, access, Opcodes.ACC_PUBLIC, "public", fact.access());
            expectFlag(where, access, Opcodes.ACC_STATIC, "static", fact.access());
            expectFlag(where, access, Opcodes.ACC_FINAL, "final", fact.access());
            expectFlag(where, access, Opcodes.ACC_ABSTRACT, "abstract", fact.access());
            if (signature != null && !signature.equals(fact.signature()) && !fact.signature().isEmpty() && !signature.contains("^") && !fact.signature().contains("^")) {
                wrong.add(where + ": generic signature " + signature + ", in Jenkins " + fact.signature());
            }
        }

        private void expectFlag(String where, int access, int flag, String word, Set<String> real) {
            if ((access & flag) != 0 != real.contains(word)) {
                wrong.add(where + ": " + word + " here or there only");
            }
        }
    }

    /** Collects the Jenkins members that one class of ours names, and those that Jenkins does not have. */
    private static final class CallChecker extends ClassVisitor {
        private final String name;
        private final Set<String> used;
        private final Set<String> wrong;

        CallChecker(String name, Set<String> used, Set<String> wrong) {
            super(Opcodes.ASM9);
            this.name = name;
            this.used = used;
            this.wrong = wrong;
        }

        @Override
        public void visit(int version, int access, String type, String signature, String superName, String[] interfaces) {
            Stream.concat(Stream.of(superName), Arrays.stream(interfaces)).filter(JenkinsApiTest::isJenkins).filter(ancestor -> facts.type(ancestor).isEmpty())
                    .forEach(ancestor -> wrong.add(name + " extends " + ancestor + ", which Jenkins does not have"));
        }

        @Override
        public MethodVisitor visitMethod(int access, String method, String descriptor, String signature, String[] exceptions) {
            return new MethodVisitor(Opcodes.ASM9) {
                @Override
                public void visitMethodInsn(int opcode, String owner, String called, String type, boolean isInterface) {
                    use(owner, called + type, opcode == Opcodes.INVOKESTATIC, isInterface);
                }

                @Override
                public void visitFieldInsn(int opcode, String owner, String field, String type) {
                    use(owner, field + type, opcode == Opcodes.GETSTATIC || opcode == Opcodes.PUTSTATIC, null);
                }

                @Override
                public void visitInvokeDynamicInsn(String called, String type, Handle bootstrap, Object... arguments) {
                    for (Object argument : arguments) {
                        if (argument instanceof Handle handle) {
                            use(handle.getOwner(), handle.getName() + handle.getDesc(), handle.getTag() == Opcodes.H_INVOKESTATIC, handle.isInterface());
                        }
                    }
                }
            };
        }

        private void use(String owner, String member, boolean isStatic, Boolean isInterface) {
            String type = owner.startsWith("[") ? Type.getType(owner).getElementType().getInternalName() : owner;
            if (!isJenkins(type)) {
                return;
            }
            used.add(type + "." + member);
            Optional<JenkinsFacts.Member> fact = facts.member(type, member);
            if (fact.isEmpty() && !isJavas(type, member)) {
                wrong.add(name + " uses " + type + "." + member + ", which Jenkins does not have");
            } else if (fact.isPresent() && fact.get().access().contains("static") != isStatic) {
                wrong.add(name + " uses " + type + "." + member + " as " + (isStatic ? "static" : "not static"));
            } else if (isInterface != null && facts.type(type).map(found -> found.access().contains("interface") != isInterface).orElse(false)) {
                wrong.add(name + " takes " + type + " for " + (isInterface ? "an interface" : "a class"));
            }
        }

        // A member inherited from Java's own classes, as EnvVars has from TreeMap.
        private static boolean isJavas(String owner, String member) {
            return Stream.concat(facts.ancestors(owner).stream(), Stream.of("java/lang/Object")).filter(ancestor -> ancestor.startsWith("java/") || ancestor.startsWith("com/google/")).anyMatch(ancestor -> {
                try {
                    Class<?> type = Class.forName(ancestor.replace('/', '.'));
                    return Stream.concat(Arrays.stream(type.getMethods()), Arrays.stream(type.getDeclaredMethods()))
                            .anyMatch(method -> (method.getName() + Type.getMethodDescriptor(method)).equals(member))
                            || Arrays.stream(type.getDeclaredConstructors()).anyMatch(constructor -> ("<init>" + Type.getConstructorDescriptor(constructor)).equals(member));
                } catch (ClassNotFoundException e) {
                    return false;
                }
            });
        }
    }
}
