#!/bin/bash
# SPDX-License-Identifier: MIT
#
# sqlite.sh DIR STEPS: the sqlite3 shell in the middle of a transaction, told what to do over a pipe.
dir=$1 steps=$2
fail() { echo "$*" >"$dir/result"; exit 1; }
coproc db { sqlite3 -batch "$dir/data.db" 2>&1; }
say() { echo "$1" >&"${db[1]}"; }
say "pragma journal_mode=wal; create table t (n integer primary key, d text); begin;"
read -r mode <&"${db[0]}"
[ "$mode" = wal ] || fail "journal mode: $mode"
for ((step = 1; step <= steps; step++)); do
    say "insert into t select $step * 100 + value, hex(value * $step) from (with recursive c(value) as (select 0 union all select value + 1 from c where value < 99) select value from c);"
    say "select count(*) from t;"
    read -r count <&"${db[0]}" || fail "step $step: sqlite3 is gone"
    [ "$count" = $((step * 100)) ] || fail "step $step: $count rows"
    [ -z "$(sqlite3 "$dir/data.db" 'select 1 from t limit 1;')" ] || fail "step $step: the transaction is visible outside"
    echo "$step" >>"$dir/progress"
    read -r -t 0.03 <>"$dir/nothing"
done
say "commit; pragma integrity_check;"
read -r check <&"${db[0]}"
[ "$check" = ok ] || fail "integrity check: $check"
[ "$(sqlite3 "$dir/data.db" 'select count(*) from t;')" = $((steps * 100)) ] || fail "rows are missing after the commit"
say ".quit"
echo PASS >"$dir/result"
