#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The limits of src/caller-limits.h are those that org.pmemremoved1(5) tells, and systemd keeps as many descriptors as there can be
# inhibitors. LIMIT_X_Y is the row x-y, but _GUESTS and _USER are columns.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

page=man/org.pmemremoved1.5
unit=systemd/pmemremoved.service.in
need_file src/caller-limits.h
need_file "$page"
need_file "$unit"

awk '
/^#define LIMIT_/ {
        name = tolower(substr($2, 7))
        column = 1
        if (sub(/_guests$/, "", name)) column = 2
        if (sub(/_user$/, "", name)) column = 3
        gsub(/_/, "-", name)
        n[name, column] = $3
        if (column > 1) wide[name] = 1
        names[name] = 1
}
END {
        for (name in names)
                if (wide[name])
                        print name, n[name, 1], n[name, 2] ? n[name, 2] : "-", n[name, 3]
                else
                        print name, n[name, 1]
}' "$top_srcdir/src/caller-limits.h" | sort >"$tmp/limits"
awk '
/^\.Sh / { inside = $2 == "LIMITS" }
inside && /^\.It Li / {
        row = $3
        for (i = 4; i < NF; i++)
                if ($i == "Ta" && $(i + 1) ~ /^([0-9]+|-)$/) row = row " " $(i + 1)
        print row
}' "$top_srcdir/$page" | sort >"$tmp/documented"

fail_for_missing "$tmp/limits" "$tmp/documented" \
        "not in $page below LIMITS as \".It Li name Ta all Ta guests Ta user Ta what\""
fail_for_missing "$tmp/documented" "$tmp/limits" "in $page, but not so in src/caller-limits.h"

sed -n 's/^FileDescriptorStoreMax=/inhibitors /p' "$top_srcdir/$unit" >"$tmp/kept"
awk '$1 == "inhibitors" { print $1, $2 }' "$tmp/limits" >"$tmp/held"
fail_for_missing "$tmp/held" "$tmp/kept" "src/caller-limits.h allows that many, but FileDescriptorStoreMax= in $unit does not"
finish
