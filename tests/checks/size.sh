#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# No C file above 800 lines, no function above 100. These are the walls; aim at 200 and at 20.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

tree_files 'src/*.c' 'tests/*.c' >"$tmp/files"

# A function's braces stand alone in the first column; those of an initializer do not.
while read -r file; do
        awk -v file="$file" '
        /^[A-Za-z_].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
        /^\{/ { start = NR }
        /^\}/ && start {
                if (NR - start + 1 > 100)
                        print file ":" start ": " name "() has " NR - start + 1 \
                                " lines, more than 100; give a part of it a name of its own"
                start = 0
        }
        END {
                if (NR > 800)
                        print file " has " NR " lines, more than 800; split it by what it is for"
        }' "$top_srcdir/$file"
done <"$tmp/files" >"$tmp/violations"

fail_lines "$tmp/violations"
finish
