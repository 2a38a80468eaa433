#!/bin/bash
# SPDX-License-Identifier: MIT
#
# work.sh DIR STEPS: bash with job control, pipelines, a coprocess, here-strings and a trap.
set -m
dir=$1 steps=$2
fail() { echo "$*" >"$dir/result"; exit 1; }
trap 'ended=$((ended + 1))' CHLD
ended=0
coproc adder { while read -r a b; do echo $((a + b)); done; }
for ((step = 1; step <= steps; step++)); do
    sum=$(seq 1 $((step * 10)) | sort -rn | awk '{ s += $1; system("") } END { print s }')
    [ "$sum" = $((step * 10 * (step * 10 + 1) / 2)) ] || fail "step $step: the pipeline says $sum"
    echo "$step $sum" >&"${adder[1]}"
    read -r answer <&"${adder[0]}" || fail "step $step: the coprocess is gone"
    [ "$answer" = $((step + sum)) ] || fail "step $step: the coprocess says $answer"
    (sleep 0.03; exit 7) &
    wait %%
    [ $? = 7 ] || fail "step $step: the job's exit status is lost"
    echo "$step" >>"$dir/progress"
done
[ "$ended" -gt 0 ] || fail "SIGCHLD never came"
kill "$adder_PID"
echo PASS >"$dir/result"
