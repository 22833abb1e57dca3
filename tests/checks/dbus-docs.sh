#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the daemon offers on the bus and what the man page says it offers are the same, members and
# signatures.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

page=man/org.pmemremoved1.5
need_built src/pmemremoved
need_file "$page"
"$abs_builddir/src/pmemremoved" --introspect >"$tmp/xml" || {
        fail "pmemremoved --introspect must end with 0"
        finish
}

# "INTERFACE KIND NAME IN [-> OUT]" for each member. One element of the XML may share a line with
# others, so it is first broken up.
tr '\n' ' ' <"$tmp/xml" | sed 's/</\n</g' | awk '
function attribute(name,    text)
{
        if (!match($0, "[ \t]" name "=\"[^\"]*\""))
                return ""
        text = substr($0, RSTART + 1, RLENGTH - 2)
        sub(/^[a-z]*="/, "", text)
        return text
}
function flush()
{
        if (member != "" && interface ~ /^org\.pmemremoved1\./)
                print interface, member, "(" in_types ")" (out_types != "" ? " -> (" out_types ")" : "")
        member = in_types = out_types = ""
}
/^<interface / { interface = attribute("name") }
/^<(method|signal|property) / {
        flush()
        kind = $1
        sub(/^</, "", kind)
        member = kind " " attribute("name")
        if (kind == "property")
                in_types = attribute("type")
}
/^<arg / {
        if (attribute("direction") == "out" && kind == "method")
                out_types = out_types attribute("type")
        else
                in_types = in_types attribute("type")
}
/^<\/interface/ { flush() }
' | sort >"$tmp/offered"

# The same from the page: below ".Ss Methods of INTERFACE" and the like, each ".It Ic" of the outer
# list, as "Name Po t arg, t arg Pc No \(-> Po t result Pc" or "Name Pq t".
awk '
function types(text,    n, args, i, word, list)
{
        n = split(text, args, /, */)
        for (i = 1; i <= n; i++) {
                split(args[i], word, " ")
                list = list word[1]
        }
        return list
}
/^\.S[hs] / { kind = ""; depth = 0 }
/^\.Ss (Methods|Properties|Signals) of / {
        kind = $2 == "Methods" ? "method" : $2 == "Signals" ? "signal" : "property"
        interface = $4
}
kind == "" { next }
/^\.Bl/ { depth++ }
/^\.El/ { depth-- }
/^\.It Ic / && depth == 1 {
        name = $3
        rest = $0
        sub(/^\.It Ic [^ ]+ */, "", rest)
        out = ""
        if (rest ~ /^Pq /) {
                sub(/^Pq /, "", rest)
                list = types(rest)
        } else {
                if (match(rest, / No \\\(-> Po /)) {
                        out = substr(rest, RSTART + RLENGTH)
                        sub(/ *Pc$/, "", out)
                        rest = substr(rest, 1, RSTART - 1)
                }
                sub(/^Po */, "", rest)
                sub(/ *Pc$/, "", rest)
                list = types(rest)
        }
        print interface, kind, name, "(" list ")" (out != "" ? " -> (" types(out) ")" : "")
}
' "$top_srcdir/$page" | sort >"$tmp/documented"

[ -s "$tmp/offered" ] || fail "pmemremoved --introspect shows no interface org.pmemremoved1.*"
fail_for_missing "$tmp/offered" "$tmp/documented" \
        "offered on the bus, but not in $page in this form"
fail_for_missing "$tmp/documented" "$tmp/offered" \
        "in $page, but not offered on the bus in this form"
finish
