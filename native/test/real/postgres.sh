#!/bin/bash
# SPDX-License-Identifier: MIT
#
# postgres.sh DIR STEPS BINARIES: PostgreSQL as an ordinary user, three psql sessions writing, one transaction held open all the time.
dir=$1 steps=$2 bin=$3
fail() { echo "$*" >"$dir/result"; kill -QUIT $server; exit 1; }
export PGHOST=$dir PGDATABASE=postgres
"$bin/initdb" -D "$dir/data" -A trust -N >"$dir/initdb.log" 2>&1 || fail "initdb: $(tail -n 2 "$dir/initdb.log")"
# Not by pg_ctl, which would let the server out of the tree.
"$bin/postgres" -D "$dir/data" -c listen_addresses='' -c unix_socket_directories="$dir" -c shared_buffers=16MB >"$dir/server.log" 2>&1 &
server=$!
until "$bin/pg_isready" -q; do
    kill -0 $server || fail "the server: $(tail -n 2 "$dir/server.log")"
done
"$bin/psql" -qXc "create table t (w int, n int, primary key (w, n)); create table held (n int)"
coproc held { "$bin/psql" -qXAt 2>&1; }
echo "begin; insert into held select 1;" >&"${held[1]}"
worker() {
    {
        for ((n = 1; n <= steps; n++)); do
            echo "insert into t values ($1, $n); select count(*) from t where w = $1;"
            [ "$1" != 1 ] || echo "\\! echo $n >>$dir/progress"
            echo "select pg_sleep(0.03) is null;"
        done
    } | "$bin/psql" -qXAt -v ON_ERROR_STOP=1 >"$dir/worker.$1" 2>&1
}
worker 1 & w1=$!
worker 2 & w2=$!
worker 3 & w3=$!
wait $w1 $w2 $w3
for w in 1 2 3; do
    [ "$(grep -v '^f$' "$dir/worker.$w" | tail -n 1)" = "$steps" ] || fail "session $w: $(tail -n 2 "$dir/worker.$w")"
done
[ "$("$bin/psql" -qXAtc "select count(*) from held")" = 0 ] || fail "the open transaction is visible"
echo "commit; select 'committed';" >&"${held[1]}"
read -r said <&"${held[0]}"
[ "$said" = committed ] || fail "the open transaction: $said"
[ "$("$bin/psql" -qXAtc "select (select count(*) from t) + (select count(*) from held)")" = $((steps * 3 + 1)) ] || fail "rows are missing"
exec {held[1]}>&-
kill -INT $server && wait $server || fail "the server ends with status $?"
echo PASS >"$dir/result"
