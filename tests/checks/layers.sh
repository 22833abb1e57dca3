#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Who may include whom. Arrows point down only:
#
#     main     pmemremoved.c
#     bus      bus-*
#     daemon   manager removal worker planner reap     an event loop from here on
#     core     inhibitor topology policy plan ledger run recover   no loop, no bus, no logging
#     step, holder                                     neither sees the other
#     sys                                              one kernel interface or library each
#     base     config failure kinds bus.h messages.h
#     util                                             knows nothing about persistent memory
#
# and beside them the client, ctl, which decides nothing: util and base only. Each external library
# is included by one file.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

tree_files 'src/*.c' 'src/*.h' >"$tmp/files"

# "FILE INCLUDE" for each include; the include keeps its brackets or quotes.
while read -r file; do
        sed -n "s|^[[:space:]]*#[[:space:]]*include[[:space:]]*\\([<\"][^>\"]*[>\"]\\).*|$file \\1|p" \
                "$top_srcdir/$file"
done <"$tmp/files" >"$tmp/includes"

awk -v files="$tmp/files" '
function layer(name)
{
        if (name ~ /^util\//) return "util"
        if (name ~ /^sys\//) return "sys"
        if (name ~ /^step\//) return "step"
        if (name ~ /^holder\//) return "holder"
        if (name ~ /^(ctl[a-z-]*|pmemremovectl)\.[ch]$/) return "ctl"
        if (name ~ /^(config(-keys)?|failure|kinds|bus|messages|caller-limits)\.[ch]$/) return "base"
        if (name ~ /^(inhibitor|topology|policy|request|verdict|plan|ledger|run|recover)(-[a-z-]+)?\.[ch]$/)
                return "core"
        if (name ~ /^(manager|removal|worker|planner|reap)(-[a-z-]+)?\.[ch]$/) return "daemon"
        if (name ~ /^bus-[a-z-]+\.[ch]$/) return "bus"
        if (name == "pmemremoved.c") return "main"
        return ""
}

BEGIN {
        may["util"] = "util"
        may["base"] = "util base"
        may["sys"] = "util base sys"
        may["holder"] = "util base sys holder"
        may["step"] = "util base sys step"
        may["core"] = "util base sys holder step core"
        may["daemon"] = "util base sys holder step core daemon"
        may["bus"] = "util base core daemon bus"
        may["main"] = "util base sys core daemon bus"
        may["ctl"] = "util base ctl"

        # The plan is data, and a step reads of it who the known processes are.
        also["step", "plan.h"] = 1
        # What the daemon tells the bus; the vtables are above it.
        also["daemon", "bus-signals.h"] = 1
        # The manager owns the connection and hangs the objects on it.
        also["manager", "bus-objects.h"] = also["manager", "bus-error.h"] = 1

        # Of base and util, what is not for everybody: sys answers a negative errno and is silent.
        only["config.h"] = "base core daemon bus main"
        only["config-keys.h"] = "base"
        only["bus.h"] = "base daemon bus main ctl"
        only["failure.h"] = "base holder step core daemon bus main ctl"
        only["util/log.h"] = "util core daemon bus main"
        only["messages.h"] = "core daemon main"

        library["<ndctl/"] = "^sys/nd\\.c$"
        library["<daxctl/"] = "^sys/daxctl\\.c$"
        library["<libudev.h"] = "^sys/udev\\.c$"
        library["<libmount"] = "^sys/mounts\\.c$"
        library["<libdevmapper.h"] = "^sys/dm\\.c$"
        library["<blkid"] = "^sys/blkid\\.c$"
        library["<ini.h"] = "^config\\.c$"
        library["<gcrypt.h"] = "^util/digest\\.c$"
        library["<libsmartcols"] = "^ctl[a-z-]*\\.c$"
        library["<xfs/"] = "^sys/xfs\\.c$"
        library["<systemd/sd-login.h"] = "^sys/units\\.c$"
        library["<systemd/sd-id128.h"] = "^(util/log|manager|ledger)\\.c$"
        library["<systemd/sd-"] = \
                "^(util/broadcast|sys/units-[a-z]+|bus-[a-z-]+|(manager|removal|worker|planner|reap)(-[a-z-]+)?|ctl[a-z-]*|pmemremoved(ctl)?)\\.[ch]$"

        while ((getline line < files) > 0)
                exists[substr(line, 5)] = 1
}

# manager-bus.c is of the family manager.
function family(file)
{
        sub(/(-.*)?\.[ch]$/, "", file)
        return file
}

function has(list, word)
{
        return index(" " list " ", " " word " ") > 0
}

# The longest prefix that is listed, so that sd-journal is not just any sd- header.
function library_of(include,    prefix, best)
{
        for (prefix in library)
                if (index(include, prefix) == 1 && length(prefix) > length(best))
                        best = prefix
        return best
}

function check_local(file, include,    from, to)
{
        from = layer(file)
        to = layer(include)
        if (!exists[include])
                print file " includes \"" include "\", which is not below src/;" \
                        " an include names the folder"
        else if (from == "")
                print file " is in no layer; put it where it belongs in layers.sh"
        else if (to == "")
                print include " is in no layer; put it where it belongs in layers.sh"
        else if ((from, include) in also || (family(file), include) in also)
                return
        else if (!has(may[from], to) || (include in only && !has(only[include], from)))
                print file " (" from ") includes \"" include "\" (" to "), which is above or beside" \
                        " it; hand over what it needs as an argument, or move the code"
        else if (file ~ /^(policy|request|verdict)/ && to == "sys")
                print file " includes \"" include "\": policy makes no system call;" \
                        " a fact it needs belongs into the topology (kinds.h)"
}

function check_library(file, include,    prefix)
{
        prefix = library_of(include)
        if (prefix == "")
                return
        if (file !~ library[prefix])
                print file " includes " include ", which is for " library[prefix] " only;" \
                        " use what that file offers"
        if (include !~ /^<systemd\/sd-/) {
                if (prefix in user && user[prefix] != file)
                        print file " includes " include ", and so does " user[prefix] \
                                "; one file includes a library"
                user[prefix] = file
        }
}

{
        file = substr($1, 5)
        include = $2
        if (include ~ /^"/)
                check_local(file, substr(include, 2, length(include) - 2))
        else
                check_library(file, include)
}
' "$tmp/includes" >"$tmp/violations"

fail_lines "$tmp/violations"
finish
