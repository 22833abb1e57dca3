#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# polkit and the bus skip a file that they cannot parse, and then nobody but root may do anything.
# What is installed for them is XML, and where polkit's own grammar is at hand, follows it.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

command -v xmllint >/dev/null || skip "xmllint is not installed"
grammar=/usr/share/polkit-1/policyconfig-1.dtd
policy=conf/org.pmemremoved1.policy

for file in "$policy" conf/org.pmemremoved1.conf; do
        need_file "$file"
        xmllint --noout --nonet "$top_srcdir/$file" >"$tmp/out" 2>&1 ||
                fail "$file is no XML: $(head -n 1 "$tmp/out")"
done
if [ -f "$grammar" ]; then
        xmllint --noout --nonet --dtdvalid "$grammar" "$top_srcdir/$policy" >"$tmp/out" 2>&1 ||
                fail "$policy does not follow $grammar: $(head -n 1 "$tmp/out")"
fi

# A message names only what bus-authorize.c tells polkit; anything else would be an empty place.
sed -n '/^} details\[\] = {/,/^};/s/.*{ "\([a-z]*\)".*/\1/p' "$top_srcdir/src/bus-authorize.c" |
        sort >"$tmp/details"
grep -oE '\$\([a-z]*\)' "$top_srcdir/$policy" | tr -cd 'a-z\n' | sort -u >"$tmp/used"
[ -s "$tmp/details" ] || fail "no table details[] in src/bus-authorize.c"
fail_for_missing "$tmp/used" "$tmp/details" "in a message of $policy, but bus-authorize.c tells no such detail"
finish
