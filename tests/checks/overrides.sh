#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every check that can be overridden is in both man pages, with the keys it silences, and in the
# completion; none of these names a check that cannot. The keys exist.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

completion=conf/completion/pmemremovectl
need_built tests/unit/print-overrides
need_built tests/unit/print-config-keys
"$abs_builddir/tests/unit/print-overrides" | sort >"$tmp/overrides"
"$abs_builddir/tests/unit/print-config-keys" | sed 's/=.*/=/' | sort >"$tmp/keys"

# check_page PAGE ITEM: the list below that item.
check_page() {
        need_file "$1"
        awk -v item="$2" '
        index($0, item) == 1 { inside = 1 }
        inside && /^\.It Li / { sub(/^\.It Li /, ""); sub(/ Pq Cm /, " "); print }
        inside && /^\.El/ { exit }
        ' "$top_srcdir/$1" | sort >"$tmp/documented"
        fail_for_missing "$tmp/overrides" "$tmp/documented" \
                "not in $1 below \"$2\" as \".It Li name Pq Cm Key= ...\""
        fail_for_missing "$tmp/documented" "$tmp/overrides" \
                "in $1, but policy-overrides.c has no such row"
}

check_page man/org.pmemremoved1.5 '.It Ic override Pq as'
check_page man/pmemremovectl.1 '.It Fl -override '

cut -d ' ' -f 2- "$tmp/overrides" | tr ' ' '\n' | sort >"$tmp/silenced"
fail_for_missing "$tmp/silenced" "$tmp/keys" "silenced by policy-overrides.c, but there is no such key"

need_file "$completion"
cut -d ' ' -f 1 "$tmp/overrides" >"$tmp/names"
sed -n 's/.*overrides="\([^"]*\)".*/\1/p' "$top_srcdir/$completion" | tr ' ' '\n' | sort >"$tmp/completed"
fail_for_missing "$tmp/names" "$tmp/completed" "not in $completion as a word of overrides=\"...\""
fail_for_missing "$tmp/completed" "$tmp/names" "in $completion, but policy-overrides.c has no such row"
finish
