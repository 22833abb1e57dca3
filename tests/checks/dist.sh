#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A tarball holds what git tracks and what autotools make of it, nothing else. Files for git and for
# editors may stay at home.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

[ -e "$top_srcdir/.git" ] || skip "not a git checkout"
command -v git >/dev/null || skip "git is not installed"
[ -f "$abs_builddir/Makefile" ] || skip "$abs_builddir is not configured"

# Variables of the make that runs us would be taken for its own.
unset MAKEFLAGS MFLAGS MAKELEVEL
if ! ${MAKE:-make} -C "$abs_builddir" -s distdir distdir="$tmp/dist" >"$tmp/log" 2>&1; then
        fail "make distdir failed: $(grep -m 1 -iE 'error|no rule|\*\*\*' "$tmp/log")"
        finish
fi

(cd "$tmp/dist" && find . ! -type d | sed 's|^\./||' | sort) >"$tmp/packed"
git -C "$top_srcdir" ls-files | sort >"$tmp/tracked"

grep -vE '^\.[^/]*$|^\.[^/]*/' "$tmp/tracked" >"$tmp/wanted"
fail_for_missing "$tmp/wanted" "$tmp/packed" \
        "tracked by git, but not in the tarball; name it in _SOURCES or EXTRA_DIST of Makefile.am"

grep -vE '^(build-aux/.*|m4/.*|aclocal\.m4|configure|config\.h\.in|([a-z/]*/)?Makefile\.in|INSTALL)$' \
        "$tmp/packed" >"$tmp/ours"
fail_for_missing "$tmp/ours" "$tmp/tracked" \
        "in the tarball, but not tracked by git; git add it, or keep it out of EXTRA_DIST"
finish
