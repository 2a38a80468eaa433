#!/bin/bash
# SPDX-License-Identifier: MIT
#
# maven.sh DIR STEPS MVN REPOSITORY: Maven in the middle of a build, with the JVM that Surefire forks for the tests.
dir=$1 steps=$2
cp -r "$(dirname "$0")/maven" "$dir/project"
export JAVA_TOOL_OPTIONS=-Djansi.mode=strip
"$3" -o -B -f "$dir/project/pom.xml" -Dmaven.repo.local="$4" -DargLine="-Ddir=$dir -Dsteps=$steps" test >"$dir/mvn.log" 2>&1
if grep -q "Tests run: $steps, Failures: 0, Errors: 0, Skipped: 0" "$dir/mvn.log" && grep -q 'BUILD SUCCESS' "$dir/mvn.log"; then
    echo PASS >"$dir/result"
else
    grep -m 3 -E 'ERROR|FAIL' "$dir/mvn.log" >"$dir/result" || echo "the log ends with: $(tail -n 2 "$dir/mvn.log")" >"$dir/result"
fi
