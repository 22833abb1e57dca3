#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The graph that the scanners make of a described machine, compared line by line. PRINT_GRAPH names
# the program, next to this script unless it is set. Exit status 77: umockdev is not there.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
program=${PRINT_GRAPH:-./tests/fake/print-graph}

command -v umockdev-run >/dev/null || exit 77

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$here/world.sh" "$here/nvdimm.umockdev" "$program" >"$work/actual"
diff -u "$here/nvdimm.expected" "$work/actual"

# What a library cannot read it leaves out; the scanners must then say that they know nothing.
must_fail() {
        what=$1
        shift
        sed "$@" "$here/nvdimm.umockdev" >"$work/broken.umockdev"
        if cmp -s "$here/nvdimm.umockdev" "$work/broken.umockdev"; then
                echo "nothing was broken: $what" >&2
                exit 1
        fi
        if "$here/world.sh" "$work/broken.umockdev" "$program" >/dev/null 2>&1; then
                echo "$what was overlooked" >&2
                exit 1
        fi
}

must_fail 'an unreadable namespace' '/namespace1\.0$/,/^$/{/force_raw/d}'
must_fail 'an unreadable region' '/region1$/,/^$/{/modalias/d}'
must_fail 'a dax device without its node' '/^N: dax2\.0$/d'
