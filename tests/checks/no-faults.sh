#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Fault injection is for tests: a build without --enable-fault-injection has nothing of it, and one
# with it says so to everybody who asks for its version.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

need_built src/pmemremoved
command -v nm >/dev/null || skip "nm is not installed"

if grep -q '^FAULT_INJECTION = 1' "$abs_builddir/Makefile"; then
        "$abs_builddir/src/pmemremoved" --version | grep -q 'fault injection' ||
                fail "pmemremoved --version does not say that it was built with fault injection"
        finish
fi

for object in "$abs_builddir"/src/*.a "$abs_builddir/src/pmemremoved"; do
        # No word of ours but these begins with it.
        nm "$object" 2>/dev/null | awk '$NF ~ /^fault_/ { print $NF }' | sort -u |
                sed "s|^|${object##*/} has |; s|\$|, but was not built with --enable-fault-injection; |" |
                sed 's|$|give it an empty twin in util/fault.h|' >>"$tmp/violations"
done
"$abs_builddir/src/pmemremoved" --version | grep 'fault injection' |
        sed 's|^|--version says: |' >>"$tmp/violations" || true
fail_lines "$tmp/violations"
finish
