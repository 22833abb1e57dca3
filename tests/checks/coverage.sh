#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make coverage: which lines the tests have run, file by file, and in groups; those that decide and
# remember come last and may not fall below what is wanted. A group is a file and what begins with
# its name and a dash. For a build with --enable-coverage whose tests have been run; files as
# arguments are shown with the lines that nobody has run.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

# In percent; the groups below are held to it, the others are only shown.
wanted=90
groups='policy plan ledger run recover topology'

command -v gcov >/dev/null || skip "gcov is not installed"
cd "$abs_builddir"
find src -name '*.gcda' >"$tmp/data"
[ -s "$tmp/data" ] || {
        fail "nothing has been counted; configure with --enable-coverage and run make coverage"
        finish
}

# "LINES RUN FILE" of each source file; headers are counted with everybody who includes them.
while read -r data; do
        gcov -n -o "${data%/*}" "$data" 2>/dev/null
done <"$tmp/data" | awk '
        /^File / { file = substr($2, 2, length($2) - 2); sub("^.*/src/", "src/", file) }
        /^Lines executed:/ && file ~ /^src\/.*\.c$/ {
                sub(/.*:/, "", $2)
                printf "%d %d %s\n", $4, $2 * $4 / 100 + 0.5, file
                file = ""
        }' | sort -k 3 -u >"$tmp/lines"

show() {
        gcov -t -o "$1" "$1" 2>/dev/null | grep '#####:' | sed 's/^ *#####: *//'
}

for file; do
        echo "$file:"
        show "${file%.c}.gcda"
done

awk '{ printf "%-36s %6d %6d %6.1f %%\n", $3, $2, $1, $1 ? 100 * $2 / $1 : 100 }' "$tmp/lines"

# "GROUP RUN LINES PERCENT" of the one group, or with "-" of whatever belongs to none of them.
sum() {
        awk -v groups="$groups" -v which="$1" '
                function add(name) { lines[name] += $1; run[name] += $2 }
                {
                        n = split($3, part, "/")
                        name = part[n]
                        sub(/\.c$/, "", name)
                        sub(/-.*/, "", name)
                        chosen = n == 2 && index(" " groups " ", " " name " ")
                        if (which == "-") {
                                if (!chosen)
                                        add(n > 2 ? part[2] "/" : "the rest")
                                add("everything")
                        } else if (chosen && name == which)
                                add(name)
                }
                END {
                        for (name in lines)
                                printf "%-36s %6d %6d %6.1f %%\n", name, run[name], lines[name],
                                        lines[name] ? 100 * run[name] / lines[name] : 100
                }' "$tmp/lines" | sort
}

: >"$tmp/low"

echo
sum -
echo
echo "What decides and remembers (wanted: $wanted %):"
for group in $groups; do
        sum "$group" | tee "$tmp/group"
        [ -s "$tmp/group" ] || fail "nothing of $group has been counted"
        awk -v wanted="$wanted" '$(NF - 1) < wanted { print $1 }' "$tmp/group" >>"$tmp/low"
done
while read -r group; do
        fail "the tests run less than $wanted % of $group; make coverage" \
                "COVERAGE_FILES=src/$group.c shows which lines nobody runs"
done <"$tmp/low"
finish
