// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.jenkinsapi;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.GZIPInputStream;

/** The public and protected members of Jenkins' types, as extracted from the real artifacts. */
final class JenkinsFacts {
    /** A field or a method: its access flags, descriptor and generic signature, all as in its class file. */
    record Member(String kind, Set<String> access, String name, String descriptor, String signature) {}

    /** A type: its access flags, generic signature, superclass first and then interfaces, and members by name and descriptor. */
    record Type(Set<String> access, String signature, List<String> supertypes, Map<String, Member> members) {}

    private final Map<String, Type> types = new HashMap<>();

    private JenkinsFacts() {}

    static JenkinsFacts load() throws IOException {
        JenkinsFacts facts = new JenkinsFacts();
        try (InputStream in = JenkinsFacts.class.getResourceAsStream("/jenkins-api/facts.tsv.gz");
                BufferedReader reader = new BufferedReader(new InputStreamReader(new GZIPInputStream(in), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (!line.startsWith("#")) {
                    facts.add(line.split("\t", -1));
                }
            }
        }
        return facts;
    }

    // Columns: type, kind, access, name, descriptor, generic signature, superclass and interfaces (of a type) or throws.
    private void add(String[] row) {
        if (row[1].equals("type")) {
            types.put(row[0], new Type(Set.of(row[2].split(" ")), row[5], List.of(row[6].split(" ")), new HashMap<>()));
        } else if (!row[1].equals("annotated") && types.containsKey(row[0])) {
            Set<String> access = new LinkedHashSet<>(List.of(row[2].split(" ")));
            types.get(row[0]).members().put(row[3] + row[4], new Member(row[1], access, row[3], row[4], row[5]));
        }
    }

    Optional<Type> type(String name) {
        return Optional.ofNullable(types.get(name));
    }

    /** All supertypes of a type, near ones first; types outside the facts are named but not followed. */
    Set<String> ancestors(String name) {
        Set<String> found = new LinkedHashSet<>();
        Deque<String> next = new ArrayDeque<>(List.of(name));
        while (!next.isEmpty()) {
            type(next.remove()).ifPresent(type -> type.supertypes().stream().filter(found::add).forEach(next::add));
        }
        return found;
    }

    /** The member of a type, its own or an inherited one. */
    Optional<Member> member(String owner, String nameAndDescriptor) {
        Member own = type(owner).map(type -> type.members().get(nameAndDescriptor)).orElse(null);
        if (own != null) {
            return Optional.of(own);
        }
        return ancestors(owner).stream().flatMap(ancestor -> type(ancestor).map(type -> type.members().get(nameAndDescriptor)).stream()).findFirst();
    }
}
