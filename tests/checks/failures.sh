#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every failure kind is in the man page of the bus with its exit status and result, and no other is.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

page=man/org.pmemremoved1.5
need_built tests/unit/print-failures
need_file "$page"

# "Name exit result"
"$abs_builddir/tests/unit/print-failures" >"$tmp/raw"
awk '{ sub(/.*\./, "", $2); print $2, $3, $4 }' "$tmp/raw" | sort >"$tmp/kinds"
for column in 1 2; do
        awk -v column="$column" '{ print $column }' "$tmp/raw" | sort | uniq -d >"$tmp/twice"
        while read -r name; do
                fail "$name stands for two failure kinds; names must be unique"
        done <"$tmp/twice"
done

sed -n 's/^\.It Er \([A-Za-z]*\) Ta \([0-9]*\) Ta \([a-z-]*\) Ta ..*/\1 \2 \3/p' \
        "$top_srcdir/$page" | sort >"$tmp/documented"
fail_for_missing "$tmp/kinds" "$tmp/documented" \
        "not in $page as \".It Er Name Ta exit Ta result Ta meaning\""
fail_for_missing "$tmp/documented" "$tmp/kinds" "in $page, but failure.c has no such row"

# A method can answer only with errors that exist.
awk '{ print $1 }' "$tmp/kinds" | sort >"$tmp/names"
sed -n 's/^\.Er \([A-Za-z]*\).*/\1/p' "$top_srcdir/$page" | grep -v '^E[A-Z]*$' |
        sort -u >"$tmp/used"
fail_for_missing "$tmp/used" "$tmp/names" "named in $page, but failure.c has no such row"
finish
