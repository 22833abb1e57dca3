#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs the fuzz targets of a build with --enable-fuzzing one after the other, for so many seconds
# each, and says what came of it:
#
#     run.sh libfuzzer|afl SECONDS BUILD [TARGET...]
#
# What the engine learns stays in BUILD/fuzz/TARGET, so that the next run goes on where this one
# ended; what it finds lies in BUILD/fuzz/findings. Fails when there is a finding.
set -eu

engine=$1 seconds=$2 build=$3
shift 3
source=$(cd "$(dirname "$0")" && pwd)
corpora=$source/../corpus
findings=$build/fuzz/findings
if [ $# -eq 0 ]; then
        for target in "$source"/fuzz-*.c; do
                target=${target##*/fuzz-}
                set -- "$@" "${target%.c}"
        done
fi

# A topology with a request is what tests/policy consists of.
seeds() {
        echo "$corpora/$1"
        [ "$1" != policy ] || echo "$source/../policy"
}

dictionary() {
        [ ! -r "$source/$1.dict" ] || echo "$2$source/$1.dict"
}

# Executions, covered edges, files that reach them.
libfuzzer() {
        mkdir -p "$build/fuzz/$1"
        # shellcheck disable=SC2046
        "$build/tests/fuzz/fuzz-$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
                -print_final_stats=1 -artifact_prefix="$findings/$1-" $(dictionary "$1" -dict=) \
                "$build/fuzz/$1" $(seeds "$1") >"$build/fuzz/$1.log" 2>&1 || true
        awk '/^stat::number_of_executed_units/ { runs = $2 }
             / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") edges = $(i + 1)
                                                   if ($i == "corp:") corpus = $(i + 1) } }
             END { sub(/\/.*/, "", corpus); print runs + 0, edges + 0, corpus + 0 }' \
                "$build/fuzz/$1.log"
}

afl() {
        out=$build/fuzz/afl-$1
        if [ -d "$out/default" ]; then
                in=-
        else
                in=$build/fuzz/seeds-$1
                mkdir -p "$in"
                for dir in $(seeds "$1"); do
                        find "$dir" -type f -exec cp {} "$in" \;
                done
        fi
        # The machine is not ours alone: neither its governor nor its core pattern is changed. A leak
        # or an assertion ends in abort(), and so does a sanitizer's finding.
        # shellcheck disable=SC2046
        AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 \
                AFL_AUTORESUME=1 afl-fuzz -V "$seconds" -t 5000 -m none -i "$in" -o "$out" \
                $(dictionary "$1" -x) -- "$build/tests/fuzz/fuzz-$1" >"$build/fuzz/$1.afl.log" 2>&1 || true
        for crash in "$out"/default/crashes/id* "$out"/default/hangs/id*; do
                [ ! -e "$crash" ] || cp "$crash" "$findings/$1-afl-$(basename "$crash" | cut -c 4-9)"
        done
        awk '$1 == "execs_done" { runs = $3 } $1 == "edges_found" { edges = $3 }
             $1 == "corpus_count" { corpus = $3 } END { print runs + 0, edges + 0, corpus + 0 }' \
                "$out/default/fuzzer_stats"
}

mkdir -p "$findings"
printf '%-12s %12s %8s %8s %9s\n' target executions edges corpus findings
for target; do
        found=$($engine "$target")
        # shellcheck disable=SC2086
        printf '%-12s %12s %8s %8s %9s\n' "$target" $found \
                "$(find "$findings" -name "$target-*" | wc -l)"
done
[ -z "$(ls -A "$findings")" ] || {
        echo "run.sh: look at $findings; mend, and keep each as tests/corpus/TARGET/WORD" >&2
        exit 1
}
