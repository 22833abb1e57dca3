#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make lint: form and static analysis, by tools that may say something else in their next version
# and are therefore not part of make check. CLANG_FLAGS is how the sources are compiled; names of
# parts as arguments run only those: format shell spelling cppcheck tidy man, and these two, which are
# slow and run only when they are named: analyzer scan.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

: "${CLANG_FLAGS:=-std=gnu11 -D_GNU_SOURCE -I$top_srcdir/src -DCONFDIR=/etc -DPACKAGE_VERSION=0 $(
        pkg-config --cflags libsystemd libudev libndctl libdaxctl mount blkid inih smartcols \
                libgcrypt cmocka 2>/dev/null
) -DDAEMON_PATH=/usr/sbin/pmemremoved -DHAVE_POLKIT=1 -DFAULT_INJECTION=1}"
skipped=

cd "$top_srcdir" || exit
tree_files 'src/*.c' 'src/*.h' 'tests/*.c' 'tests/*.h' 'examples/*.c' 'examples/*.h' >"$tmp/c"
# A translation unit includes its headers; generated ones are not ours to judge.
grep '\.c$' "$tmp/c" >"$tmp/units" || true
tree_files 'man/*.[158]' >"$tmp/man"

# By suffix or by first line.
tree_files '*' | while read -r file; do
        case $file in
        *.sh) echo "$file" ;;
        *.* | COPYING) ;;
        *) [ -f "$file" ] && head -n 1 "$file" | grep -qE '^#!.*[/ ](sh|bash)\>' && echo "$file" ;;
        esac
done >"$tmp/shell" || true

have() {
        command -v "$1" >/dev/null && return 0
        echo "lint.sh: $1 is not installed, so its part is left out" >&2
        skipped=yes
        return 1
}

format() {
        have clang-format || return 0
        xargs clang-format --dry-run -Werror <"$tmp/c" ||
                fail "run clang-format -i on the files above"
}

shell() {
        have shellcheck || return 0
        # What is only ever sourced names no shell: that is bash, in the lab.
        while read -r file; do
                head -n 1 "$file" | grep -q '^#!' && echo "$file"
        done <"$tmp/shell" >"$tmp/programs"
        grep -vxFf "$tmp/programs" "$tmp/shell" >"$tmp/sourced"
        xargs shellcheck --external-sources <"$tmp/programs" || fail "mend the shell scripts above"
        xargs shellcheck --external-sources --shell=bash <"$tmp/sourced" ||
                fail "mend the shell scripts above"
}

spelling() {
        have codespell || return 0
        # nd is the kernel's name of a bus and an mdoc macro; infinit is a time span that must fail.
        tree_files '*' | grep -vE '^(COPYING$|tests/corpus/)' | xargs codespell --ignore-words-list=nd,infinit ||
                fail "mend the spelling, or choose another word"
}

# missingInclude: the system's headers are not looked into.
# varFuncNullUB: NULL is a pointer in C as glibc defines it.
# memleak: does not know the cleanup attribute.
# unusedStructMember: fields that only an offset in a table or another file reads.
# checkersReport, unmatchedSuppression: differ between versions and say nothing about the code.
# normalCheckLevelMaxBranches: a note about how hard it tried.
cppcheck_all() {
        have cppcheck || return 0
        xargs cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
                --error-exitcode=1 --suppress=missingInclude --suppress=missingIncludeSystem \
                --suppress=varFuncNullUB --suppress=memleak --suppress=unusedStructMember \
                --suppress=unmatchedSuppression \
                --suppress=normalCheckLevelMaxBranches --template=gcc \
                -D_GNU_SOURCE -DFAULT_INJECTION=1 -D'CONFDIR="/etc"' -Isrc -j "$(nproc)" <"$tmp/units" ||
                fail "mend what cppcheck found; a false alarm is suppressed on its line, with the reason"
}

# One flag per line, as clang-tidy wants them in a file. On the way through make and the shell strings
# lost their quotes, and a path is relative to where make runs.
compile_flags() {
        for flag in $CLANG_FLAGS; do
                case $flag in
                -I[!/]*) echo "-I$abs_builddir/${flag#-I}" ;;
                -D*=\"*\") echo "$flag" ;;
                -D*=*[!0-9]* | -DPACKAGE_VERSION=*) echo "${flag%%=*}=\"${flag#*=}\"" ;;
                *) echo "$flag" ;;
                esac
        done
        echo -D_GNU_SOURCE
        echo -Wno-unknown-warning-option
}

# The same for a compiler, which takes quotes away from what it reads in a file.
response_flags() {
        compile_flags | sed 's/"/\\"/g'
}

# .clang-tidy says which checks and why not the others.
tidy() {
        have clang-tidy || return 0
        compile_flags >"$tmp/compile_flags.txt"
        xargs -P "$(nproc)" -n 3 clang-tidy --quiet -p "$tmp" <"$tmp/units" 2>/dev/null ||
                fail "mend what clang-tidy found; a false alarm gets NOLINT(check), with the reason"
}

# gcc's own, over what is installed: a test may end where memory does. What it cannot know of: that a
# function of another file which answers 0 has set its outputs (null-*, uninitialized), and what cleanup
# attributes and structures own (leak, deallocation). The sanitizers, valgrind and the fuzzers look for
# real ones.
analyzer() {
        have gcc || return 0
        response_flags >"$tmp/gcc_flags"
        for kind in null-dereference null-argument use-of-uninitialized-value malloc-leak \
                mismatching-deallocation; do
                echo "-Wno-analyzer-$kind" >>"$tmp/gcc_flags"
        done
        grep -v '^tests/' "$tmp/units" |
                xargs -P "$(nproc)" -n 1 gcc @"$tmp/gcc_flags" -O1 -fanalyzer -Werror -c -o /dev/null ||
                fail "mend what gcc -fanalyzer found"
}

# clang's, as scan-build runs it. What .clang-tidy leaves out of it is left out here.
scan() {
        have clang || return 0
        {
                response_flags
                sed -n 's/.*-clang-analyzer-\([a-zA-Z.]*[a-zA-Z]\),*$/\1/p' .clang-tidy |
                        sed 's/^/-Xclang\n-analyzer-disable-checker\n-Xclang\n/'
        } >"$tmp/clang_flags"
        xargs -P "$(nproc)" -n 1 clang @"$tmp/clang_flags" --analyze --analyzer-output text \
                -Xclang -analyzer-werror -o /dev/null <"$tmp/units" ||
                fail "mend what clang --analyze found"
}

man() {
        have mandoc || return 0
        while read -r page; do
                mandoc -T lint -W warning "$page" || fail "$page: mend what mandoc found"
        done <"$tmp/man"
}

run_part() {
        case $1 in
        format) format ;;
        shell) shell ;;
        spelling) spelling ;;
        cppcheck) cppcheck_all ;;
        tidy) tidy ;;
        analyzer) analyzer ;;
        scan) scan ;;
        man) man ;;
        *) fail "no such part: $1" ;;
        esac
}

[ $# -gt 0 ] || set -- format shell spelling cppcheck tidy man
for part; do
        run_part "$part"
done
[ -s "$tmp/failures" ] || [ -z "$skipped" ] || exit 77
finish
