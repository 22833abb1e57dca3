# SPDX-License-Identifier: LGPL-2.1-or-later
# From the points of a reference ("PLACE ROLE THERE,... DETAIL") the rows of the matrix: each point with each set of those who
# were there and can be hit. What is left out, and why, is said by "pruned|REASON".
# -v prefix=  nothing: the way forward; else the second fault, after first= has turned it round
# -v role=    whose points
# -v alike=   " 1 2 9 ": the steps whose own writes and children another shape goes through

function word(text) {
        return text ~ / / || text == "" ? "\"" text "\"" : text
}

function prune(reason) {
        print "pruned|" reason
}

# Of what the point itself says nothing new, for another one comes at the same state of things.
function repeated(place, detail) {
        if (place == "write-before" && detail ~ /^(begin|end|reverted) /)
                return 1
        if (place == "write-after" && detail ~ /^(begin|reverted) /)
                return 1
        return 0
}

# The step at which this was: its own number, or that of the last one that began.
function follow(place, detail) {
        if (place == "write-before" && detail ~ /^begin /)
                current = substr(detail, 7)
        if (place == "write-before" && detail ~ /^(rollback|recovering|finished|reported)/)
                current = ""
        if (place ~ /^(before|after|revert-before|revert-after)$/)
                current = detail
}

# What is left of such a step is where it starts and ends, which is as the steps below it have made it.
function is_alike(place) {
        return current != "" && index(alike, " " current " ") && place !~ /^(before|after|revert-before|revert-after)$/
}

function row(place, detail, whom, action,    fault) {
        fault = place " detail=" word(detail) " by=" role (first == "" ? "" : " since=1")
        fault = fault (whom == "-" ? "" : " whom=" word(whom)) " " action
        print (prefix == "" ? "" : prefix " ") place " " detail "|" whom "|" (first == "" ? "" : first "|") fault
}

function rows_for(place, there, detail,    all, n, mask, i, whom, roles) {
        n = 0
        split("worker daemon guardian recovery", roles, " ")
        for (i = 1; i <= 4; i++)
                if (index("," there, "," roles[i] ","))
                        all[n++] = roles[i]
        for (mask = 1; mask < 2 ^ n; mask++) {
                whom = ""
                for (i = 0; i < n; i++)
                        if (int(mask / 2 ^ i) % 2)
                                whom = whom (whom == "" ? "" : " ") all[i]
                if (prefix != "" && whom !~ /^(worker|worker daemon|recovery)$/)
                        prune("a second fault hits the worker, or worker and daemon")
                else if (place ~ /^write/ && whom !~ /^(worker|daemon|recovery)$/)
                        prune("at a write of the ledger one dies, pairs die beside it")
                else
                        row(place, detail, whom, "action=kill")
        }
}

$2 == role {
        place = $1
        there = $3
        detail = $0
        sub(/^[^ ]* [^ ]* [^ ]* ?/, "", detail)
        # The next removal meets another process.
        if (detail ~ /^(signalled|newcomer|left|held|killed|sigbus|warn) [0-9]+$/)
                sub(/[0-9]+$/, "*", detail)
        if (place == "write-before" && detail ~ /^(rollback|recovering)$/)
                turned = 1
        if (prefix != "" && !turned)
                next
        follow(place, detail)
        if (is_alike(place)) {
                prune("in a step that is the same in every shape; graceful-xfs and forced-mapped have it")
                next
        }
        # The planner's, and those of looks at the machine: they hold nothing.
        if (role == "daemon" && place ~ /^child/)
                next
        if (seen[place, detail]++) {
                prune("the same point once more")
                next
        }
        if (place == "write-before" && detail !~ /^end /)
                row("torn", detail, there ~ /recovery/ ? "recovery" : role == "daemon" ? "daemon" : "worker", "action=kill")
        if (repeated(place, detail)) {
                prune("nothing happens between this write and the point beside it")
                next
        }
        rows_for(place, there, detail)
        if (place == "child-before" && role != "recovery")
                row(place, detail, "below", "action=kill")
        if (place ~ /^(before|revert-before)$/)
                row(place, detail, "-", "action=fail err=5")
}
