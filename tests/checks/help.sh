#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# --help is what was asked for, so it goes to stdout and fits a terminal; a wrong option is a
# mistake, so it goes to stderr with exit status 2. Options and verbs of --help and of the man page
# are the same.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

# "--name" for every long option of an mdoc page: the words of a line with Fl that start with a dash,
# escaped or not.
man_options() {
        sed -n '/^\.\\"/d; s/\\-/-/g; /^\.\(Nm\|Fl\|It\|Op\|Oo\|Xo\)\>.*\<Fl\>/p; /^\.Fl\>/p' "$1" |
                grep -oE ' -[a-z][a-z-]*' | sed 's/^ */-/'
}

# The items of the section whose title speaks of commands or verbs.
man_verbs() {
        awk '
        /^\.S[hs] / { inside = tolower($0) ~ /command|verb/; depth = 0 }
        inside && /^\.Bl/ { depth++ }
        inside && /^\.El/ { depth-- }
        inside && depth == 1 && /^\.It (Cm|Ic) [a-z]/ { print $3 }
        ' "$1"
}

# The first words of the indented lines below "Commands:" or "Verbs:".
help_verbs() {
        awk '
        /^[A-Za-z]/ { inside = tolower($0) ~ /^[a-z ]*(commands|verbs)[a-z ]*:$/; next }
        inside && /^  ?[ \t]?[a-z][a-z-]+/ { print $1 }
        ' "$1"
}

check_program() {
        name=$1 page=man/$2
        need_built "src/$name"
        need_file "$page"
        program=$abs_builddir/src/$name

        "$program" --help >"$tmp/out" 2>"$tmp/err" || fail "$name --help must end with 0"
        [ -s "$tmp/out" ] || fail "$name --help must write to stdout"
        [ ! -s "$tmp/err" ] || fail "$name --help must not write to stderr: $(head -n 1 "$tmp/err")"
        awk -v name="$name" 'length($0) > 80 {
                print name " --help, line " NR ": wider than 80 columns; break it"
        }' "$tmp/out" >"$tmp/wide"
        fail_lines "$tmp/wide"

        status=0
        "$program" --no-such-option >"$tmp/wrong" 2>"$tmp/err" </dev/null || status=$?
        [ "$status" -eq 2 ] || fail "$name --no-such-option must end with 2, not with $status"
        [ -s "$tmp/err" ] || fail "$name --no-such-option must say on stderr what is wrong"
        [ ! -s "$tmp/wrong" ] || fail "$name --no-such-option must not write to stdout"

        grep -oE -e '(^|[^a-z-])--[a-z][a-z-]*' "$tmp/out" | grep -oE -e '--[a-z-]*' |
                sort -u >"$tmp/help-options"
        man_options "$top_srcdir/$page" | sort -u >"$tmp/man-options"
        fail_for_missing "$tmp/help-options" "$tmp/man-options" \
                "in $name --help but not in $page; describe it there as .It Fl \\-name"
        fail_for_missing "$tmp/man-options" "$tmp/help-options" \
                "in $page but not in $name --help"

        help_verbs "$tmp/out" | sort -u >"$tmp/help-verbs"
        man_verbs "$top_srcdir/$page" | sort -u >"$tmp/man-verbs"
        fail_for_missing "$tmp/help-verbs" "$tmp/man-verbs" \
                "in $name --help but not in $page; describe it there as .It Cm name"
        fail_for_missing "$tmp/man-verbs" "$tmp/help-verbs" "in $page but not in $name --help"
        if [ "$3" = verbs ] && [ ! -s "$tmp/help-verbs" ]; then
                fail "$name --help must list its verbs, indented, below \"Commands:\""
        fi
}

check_program pmemremoved pmemremoved.8 no-verbs
check_program pmemremovectl pmemremovectl.1 verbs
finish
