#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make coverage: which lines the tests have run, file by file and for what decides and remembers in
# groups. For a build with --enable-coverage whose tests have been run; files as arguments are shown
# with the lines that nobody has run.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

# Above this part of its lines (in percent) a group is held; the others are only shown.
wanted=90
groups='policy plan ledger recover run topology'

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
echo
awk -v groups="$groups" -v wanted="$wanted" '
        function add(name) { lines[name] += $1; run[name] += $2 }
        {
                n = split($3, part, "/")
                name = part[n]
                sub(/\.c$/, "", name)
                sub(/-.*/, "", name)
                add(n > 2 ? part[2] "/" : index(" " groups " ", " " name " ") ? name : "the rest")
                add("everything")
        }
        END {
                for (name in lines) {
                        percent = 100 * run[name] / lines[name]
                        low = index(" " groups " ", " " name " ") && percent < wanted
                        printf "%-36s %6d %6d %6.1f %%%s\n", name, run[name], lines[name], percent,
                                low ? "   below " wanted " %" : ""
                }
        }' "$tmp/lines" | sort
finish
