#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every key of the table is in the shipped file and in the man page, with the same default, and
# neither names a key that does not exist. The examples of the shipped file can be loaded.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

file=conf/pmemremoved.conf
page=man/pmemremoved.conf.5
need_built tests/unit/print-config-keys
need_file "$file"
need_file "$page"

"$abs_builddir/tests/unit/print-config-keys" | sort >"$tmp/keys"
sed 's/=.*//' "$tmp/keys" | sort >"$tmp/names"

sed -n 's/^#\([A-Z][A-Za-z]*=.*\)/\1/p' "$top_srcdir/$file" | sort -u >"$tmp/shipped"
fail_for_missing "$tmp/keys" "$tmp/shipped" "not in $file as \"#Key=default\""
sed 's/=.*//' "$tmp/shipped" | sort -u >"$tmp/shipped-names"
fail_for_missing "$tmp/shipped-names" "$tmp/names" "in $file, but there is no such key"
grep -nE '^[^#[]' "$top_srcdir/$file" >"$tmp/active" || true
while read -r line; do
        fail "$file:$line: everything but [Policy] must be commented out"
done <"$tmp/active"

sed -n 's/^\.It Cm \([A-Z][A-Za-z]*=\)\( Ns Li \(.*\)\)\{0,1\}$/\1\3/p' "$top_srcdir/$page" |
        sort >"$tmp/documented"
fail_for_missing "$tmp/keys" "$tmp/documented" \
        "not in $page as \".It Cm Key= Ns Li default\" (\".It Cm Key=\" if it is empty)"
sed 's/=.*//' "$tmp/documented" | sort >"$tmp/documented-names"
fail_for_missing "$tmp/documented-names" "$tmp/names" "in $page, but there is no such key"

# The daemon is asked where there is one.
if [ -x "$abs_builddir/src/pmemremoved" ]; then
        sed 's/^#\([A-Z[]\)/\1/' "$top_srcdir/$file" >"$tmp/examples.conf"
        for candidate in "$top_srcdir/$file" "$tmp/examples.conf"; do
                "$abs_builddir/src/pmemremoved" --check-config "$candidate" >"$tmp/out" 2>&1 ||
                        fail "$file cannot be loaded: $(head -n 1 "$tmp/out")"
        done
fi
finish
