#!/bin/bash
# SPDX-License-Identifier: MIT
#
# make.sh DIR STEPS: make -j4 with compilers running, then the program that they made.
dir=$1 steps=$2
mkdir "$dir/src" && cd "$dir/src" || exit 1
for ((i = 1; i <= steps; i++)); do
    {
        echo "#include <stdio.h>"
        for ((j = 0; j < 300; j++)); do echo "static int g${i}_$j(int x) { return x * $j + (x >> 3) % ($j + 1); }"; done
        echo "int f$i(int x) { int s = 0;"
        for ((j = 0; j < 300; j++)); do echo "s += g${i}_$j(x + s);"; done
        echo "return (s & 0) + $i; }"
    } >"f$i.c"
done
{
    for ((i = 1; i <= steps; i++)); do echo "int f$i(int);"; done
    echo "#include <stdio.h>"
    echo "int main(void) { int s = 0;"
    for ((i = 1; i <= steps; i++)); do echo "s += f$i(s);"; done
    echo 'printf("%d\n", s); return 0; }'
} >main.c
objects=$(seq -f 'f%g.o' 1 "$steps" | tr '\n' ' ')
printf 'prog: main.o %s\n\tcc -o $@ $^\n%%.o: %%.c\n\tcc -O2 -c -o $@ $<\n\t@echo $* >>%s/progress\n' "$objects" "$dir" >Makefile
make -j4 >"$dir/make.log" 2>&1 || { echo "make failed: $(tail -n 3 "$dir/make.log")" >"$dir/result"; exit 1; }
[ "$(./prog)" = $((steps * (steps + 1) / 2)) ] && echo PASS >"$dir/result" || echo "the program says $(./prog)" >"$dir/result"
