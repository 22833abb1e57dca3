#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the service could do is explained: whatever "systemd-analyze security" misses in the unit has its reason in one
# of its comments, or right above its line. The capabilities of the unit are those that the processes know to lower.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

# In tenths, by systemd 252: a bigger one is a decision and not an accident.
exposure_max=49
unit=$top_srcdir/systemd/pmemremoved.service.in
table="$top_srcdir/src/sys/privileges.c $top_srcdir/src/worker-privileges.c"
need_file systemd/pmemremoved.service.in

sed -n 's/^#//p' "$unit" >"$tmp/comments"
# Settings whose line follows a comment, or another line below that. Lists explain each of their words.
awk '/^#/ { comment = 1; next } /^$/ { comment = 0; next } comment { sub(/=.*/, "="); print }' "$unit" |
        grep -v -e '^CapabilityBoundingSet=' -e '^SystemCallFilter=' >"$tmp/below"

sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr ' ' '\n' | sort -u >"$tmp/allowed"
# shellcheck disable=SC2086
grep -oh 'PRIVILEGE(CAP_[A-Z_]*)' $table | sed 's/.*(\(.*\))/\1/' | sort -u >"$tmp/lowered"
fail_for_missing "$tmp/allowed" "$tmp/lowered" "in the unit, but src/sys/privileges.c and worker-privileges.c need it nowhere"
fail_for_missing "$tmp/lowered" "$tmp/allowed" "in src/sys/privileges.c or worker-privileges.c, but the unit does not allow it"

command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
sed "s|@sbindir@|/usr/sbin|" "$unit" >"$tmp/pmemremoved.service"
systemd-analyze security --no-pager --offline=yes --json=short "$tmp/pmemremoved.service" >"$tmp/json" 2>/dev/null ||
        skip "this systemd-analyze does not look at files"

# {"set":false,"name":"PrivateTmp=",...,"exposure":"0.2"}: those without an exposure are well.
tr '{' '\n' <"$tmp/json" | sed -n 's/.*"name":"\([^"]*\)".*"exposure":"[^"]*".*/\1/p' | sort -u >"$tmp/lines"
[ -s "$tmp/lines" ] || skip "this systemd-analyze prints something else"

# What to look for in the comments.
words() {
        case $1 in
        CapabilityBoundingSet=*) echo "${1#*~CAP_}" | sed 's/[()]//g; s/\*/[A-Z_]*/g; s/|/\\|/g' ;;
        SystemCallFilter=*) echo "${1#*~}" ;;
        *) echo "${1%%=*}=" ;;
        esac
}
while read -r line; do
        grep -q -- "$(words "$line")" "$tmp/comments" || grep -qx -- "${line%%=*}=" "$tmp/below" ||
                fail "$line lowers the protection, and no comment of pmemremoved.service.in says why"
done <"$tmp/lines"

exposure=$(SYSTEMD_COLORS=0 systemd-analyze security --no-pager --offline=yes "$tmp/pmemremoved.service" 2>/dev/null |
        sed -n 's/.*exposure level.*: \([0-9]*\)\.\([0-9]\).*/\1\2/p')
echo "exposure: ${exposure:-unknown} tenths"
[ "${exposure:-0}" -le "$exposure_max" ] ||
        fail "the exposure is $exposure tenths; mend the unit, or say why in it and raise exposure_max in ${0##*/}"
finish
