# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Sourced by the checks. Each enforces one rule on the tree, says for every violation how to mend it,
# and ends with 0, with 1, or with 77 when it cannot be made here. make sets top_srcdir and
# abs_builddir; by hand, from a checkout that was built in place, neither is needed.

set -eu
LC_ALL=C.UTF-8
export LC_ALL

top_srcdir=${top_srcdir:-$(dirname "$0")/../..}
top_srcdir=$(cd "$top_srcdir" && pwd)
abs_builddir=${abs_builddir:-$top_srcdir}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
: >"$tmp/failures"

# One violation; the check goes on, so that one run shows them all.
fail() {
        echo "${0##*/}: $*" >&2
        echo "$*" >>"$tmp/failures"
}

# Each line of a file is a violation.
fail_lines() {
        while read -r violation; do
                fail "$violation"
        done <"$1"
}

finish() {
        if [ -s "$tmp/failures" ]; then
                exit 1
        fi
        exit 0
}

skip() {
        echo "${0##*/}: skipped: $*" >&2
        exit 77
}

# A program that the build must have made.
need_built() {
        [ -x "$abs_builddir/$1" ] || {
                fail "$abs_builddir/$1 is not built; make check builds it first"
                finish
        }
}

# A file of the tree that cannot be missing.
need_file() {
        [ -r "$top_srcdir/$1" ] || {
                fail "$1 is missing"
                finish
        }
}

# Fails with the message for every line of the first file that the second has not. Both are sorted.
fail_for_missing() {
        comm -23 "$1" "$2" >"$tmp/missing"
        shift 2
        while read -r missing; do
                fail "$missing: $*"
        done <"$tmp/missing"
}

# The files of the tree by name pattern, relative to it: what git knows, or all of a tarball.
tree_files() {
        (
                cd "$top_srcdir"
                if [ -e .git ] && command -v git >/dev/null; then
                        git ls-files --cached --others --exclude-standard -- "$@"
                else
                        for pattern in "$@"; do
                                find . -type f -path "./$pattern" | sed 's|^\./||'
                        done
                fi
        ) | sort -u
}
