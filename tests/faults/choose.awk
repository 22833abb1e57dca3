# SPDX-License-Identifier: LGPL-2.1-or-later
# Of rows "NAME|WHOM|...", each of every= of each set of victims; part= says which, moved on by the name of the shape;
# only= leaves those with this text.

function hash(text,    i, h) {
        h = 7
        for (i = 1; i <= length(text); i++)
                h = (h * 31 + index(" abcdefghijklmnopqrstuvwxyz-+0123456789", substr(text, i, 1))) % 65521
        return h
}

# As the driver prints it.
function whom_of(roles) {
        gsub(/ /, "+", roles)
        return roles
}

only == "" || index(whom_of($2) " " $1, only) {
        line[++rows] = $0
        whom[rows] = $2
        total[$2]++
}

END {
        for (n = 1; n <= rows; n++) {
                w = whom[n]
                step = every < total[w] ? every : total[w]
                if (count[w]++ % step == (hash(shape " " w) + part) % step)
                        print line[n]
        }
}
