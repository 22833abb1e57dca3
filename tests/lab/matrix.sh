# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What can stand on the memory, by which road it goes, and whether that was seen on each kernel in this run. The rows
# are the lines "# matrix: WHAT | ROAD | OUTCOME" of the cases; the verdict is that of the case.

# verdict CASE KERNEL: how it went, "-" where the case is not for that kernel or was not run.
verdict() {
        local word
        word=$(cat "$results"/result.* | awk -v c="$1" -v k="$2" '$6 == c && $2 == k { print $1 }' | sort | tail -n 1)
        case $word in
        ok) echo ok ;;
        FAIL) echo FAILED ;;
        skip) echo skipped ;;
        *) echo - ;;
        esac
}

matrix_rows() {
        local case name row
        for case in "${cases[@]}"; do
                name=$(basename "$case" .sh)
                sed -n 's/^# matrix: *//p' "$case" | while read -r row; do
                        printf '%s|%s|%s|%s\n' "$row" "$(verdict "$name" new)" "$(verdict "$name" old)" "$name"
                done
        done
}

# Fields separated by bars become columns.
align() {
        awk -F ' *[|] *' '
                { for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } }
                END {
                        for (r = 1; r <= NR; r++) {
                                for (i = 1; i < NF; i++) printf "%-" width[i] "s  ", cell[r, i]
                                print cell[r, NF]
                        }
                }'
}

# Prints nothing when no case has a row.
print_matrix() {
        local rows
        rows=$(matrix_rows | sort -t '|' -s -k 1,1)
        [ -n "$rows" ] || return 0
        printf '\n'
        {
                printf 'WHAT STANDS ON IT|ROAD|OUTCOME|%s|%s|CASE\n' \
                        "$(cut -d. -f1,2 "$image/new/release")" "$(cut -d. -f1,2 "$image/old/release")"
                printf '%s\n' "$rows"
        } | align
}
