#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The failures of other systems that the lab shows to be impossible here: each "# story:" of a case has its row in the
# table of tests/lab/README.md, and each row names cases that tell it.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

readme=tests/lab/README.md
need_file "$readme"

# "STORY|CASE", one line for each pair.
tree_files 'tests/lab/cases/*.sh' | while read -r file; do
        sed -n "s|^# story: *\(.*[^ ]\) *\$|\1\|$(basename "$file" .sh)|p" "$top_srcdir/$file"
done | sort -u >"$tmp/told"

sed -n '/^## Failure stories/,/^## [^F]/p' "$top_srcdir/$readme" | awk -F ' *[|] *' '
        /^[|]/ && $2 != "story" && $2 !~ /^-+$/ {
                n = split($4, cases, /, */)
                for (i = 1; i <= n; i++) print $2 "|" cases[i]
        }' | sort -u >"$tmp/listed"

[ -s "$tmp/listed" ] || fail "$readme has no table of failure stories"
fail_for_missing "$tmp/told" "$tmp/listed" "told by this case; name it in the table of failure stories in $readme"
fail_for_missing "$tmp/listed" "$tmp/told" "listed in $readme; write \"# story: STORY\" at the top of that case"
finish
