# SPDX-License-Identifier: LGPL-2.1-or-later
# The matrix of "row SHAPE VERDICT N ms WHOM NAME": what became of each shape and each set of victims. Exit status 1 when a row
# failed, or there is none.

function count(what) {
        n[what, verdict]++
        n[what, "rows"]++
        if (!(what in known)) {
                known[what] = 1
                order[++size] = what
        }
}

function line(what) {
        printf "%-18s %-24s %6d %10d %8d %6d %7d\n", shape_of[what], whom_of[what], n[what, "rows"],
                n[what, "as-before"], n[what, "removed"], n[what, "stuck"], n[what, "FAILED"]
}

$1 == "pruned" {
        amount = $3
        sub(/^pruned [^ ]* [^ ]* /, "")
        pruned[$0] += amount
}

$1 == "row" {
        verdict = $3
        what = $2 SUBSEP $6
        shape_of[what] = $2
        whom_of[what] = $6
        count(what)
        usec += $4
}

END {
        printf "\n%-18s %-24s %6s %10s %8s %6s %7s\n", "SHAPE", "HIT", "ROWS", "AS BEFORE", "REMOVED", "STUCK", "FAILED"
        for (i = 1; i <= size; i++) {
                line(order[i])
                for (k = split("as-before removed stuck FAILED rows", word, " "); k > 0; k--)
                        total[word[k]] += n[order[i], word[k]]
        }
        for (reason in pruned)
                printf "left out: %d, %s\n", pruned[reason], reason
        printf "%d rows: %d as before, %d removed, %d stuck, %d failed; %.1f s each\n", total["rows"], total["as-before"],
                total["removed"], total["stuck"], total["FAILED"], total["rows"] ? usec / total["rows"] / 1000 : 0
        exit total["FAILED"] > 0 || !total["rows"]
}
