#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every message id has an entry in the journal's catalogue that says what happened and what to do,
# and the reverse; no id stands for two things.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

header=src/messages.h
catalogue=systemd/pmemremoved.catalog
need_file "$header"
need_file "$catalogue"

sed -n 's/^#define[ \t]*MESSAGE_[A-Z_0-9]*[ \t]*"\([^"]*\)".*/\1/p' "$top_srcdir/$header" |
        sort >"$tmp/ids"
[ -s "$tmp/ids" ] || fail "$header defines no MESSAGE_... id"
uniq -d "$tmp/ids" >"$tmp/twice"
while read -r id; do
        fail "$id is defined twice in $header; make a new one with systemd-id128 new"
done <"$tmp/twice"
grep -vxE '[0-9a-f]{32}' "$tmp/ids" >"$tmp/malformed" || true
while read -r id; do
        fail "\"$id\" in $header is not 32 lower-case hex digits"
done <"$tmp/malformed"

# Translations carry a language after the id.
sed -n 's/^-- \([0-9a-f]*\)\( .*\)\{0,1\}$/\1/p' "$top_srcdir/$catalogue" | sort -u >"$tmp/entries"
sort -u "$tmp/ids" >"$tmp/unique"
fail_for_missing "$tmp/unique" "$tmp/entries" "in $header, but $catalogue does not explain it"
fail_for_missing "$tmp/entries" "$tmp/unique" "in $catalogue, but not in $header"

# An entry has a subject, an empty line, and a text.
awk '
function done_with()
{
        if (id != "" && (!subject || !text))
                print id ": its entry needs Subject:, an empty line and a text"
        id = ""
        subject = empty = text = 0
}
/^-- / { done_with(); id = $2; next }
/^Subject: ./ { subject = 1 }
/^$/ { empty = subject }
empty && /./ { text = 1 }
END { done_with() }
' "$top_srcdir/$catalogue" >"$tmp/poor"
fail_lines "$tmp/poor"
finish
