#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make check-valgrind: runs one test program under memcheck, its children too. Fails on bytes that
# are not ours, on decisions by values that were never set, and on memory that nobody can free any
# more; a test whose system calls this valgrind does not know is passed over, unless it had one of
# these before.
set -eu

command -v valgrind >/dev/null || {
        echo "valgrind.sh: valgrind is not installed"
        exit 77
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99 \
        --trace-children=no --suppressions="${0%/*}/valgrind.supp" "$@" >"$log" 2>&1 || status=$?
cat "$log"
if grep -qE '^==[0-9]+== +(Invalid|Use of uninit|Conditional jump|Syscall param|[0-9,]+ .*definitely lost)' \
        "$log"; then
        exit 1
fi
if [ "$status" -ne 0 ] && grep -q 'unhandled .* syscall' "$log"; then
        echo "valgrind.sh: passed over: this valgrind does not know a system call of $1"
        exit 77
fi
exit "$status"
