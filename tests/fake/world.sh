#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# world.sh DESCRIPTION PROGRAM [ARGUMENT...]
#
# Runs a program in an umockdev world with persistent memory. umockdev files every device of the
# subsystem nd on a bus and every one of dax in a class, and knows no driver directories, while the
# libraries look for /sys/class/nd, /sys/bus/dax and a driver's bind and unbind. What is missing is
# made in the sandbox before the program starts.

set -eu

# umockdev preloads its library, which a program built with ASan would take for a mistake.
ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS:-}
export ASAN_OPTIONS

if [ "${WORLD_INSIDE:-}" != yes ]; then
        description=$1
        shift
        WORLD_INSIDE=yes exec umockdev-run --device="$description" -- "$0" "$@"
fi

sys=$UMOCKDEV_DIR/sys

# Moves a device's link into another directory two levels deep, like class/nd, or three.
move_links() {
        from=$1 to=$2 depth=$3
        shift 3
        mkdir -p "$sys/$to"
        for name; do
                link=$sys/$from/$name
                [ -L "$link" ] || continue
                target=$(readlink "$link" | sed 's,^\(\.\./\)*,,')
                rm "$link"
                ln -s "$depth$target" "$sys/$to/$name"
        done
}

names() {
        [ ! -d "$sys/$1" ] || (cd "$sys/$1" && echo *)
}

make_driver() {
        mkdir -p "$sys/bus/$1/drivers/$2"
        : >"$sys/bus/$1/drivers/$2/bind"
        : >"$sys/bus/$1/drivers/$2/unbind"
}

# shellcheck disable=SC2046 # device names have no blanks
move_links bus/nd/devices class/nd ../../ $(cd "$sys/bus/nd/devices" && echo ndctl*)
# shellcheck disable=SC2046
move_links class/dax bus/dax/devices ../../../ $(names class/dax)

for driver in nd_bus nvdimm nd_region nd_pmem dax_pmem; do
        make_driver nd $driver
done
for driver in device_dax kmem; do
        make_driver dax $driver
done

unset WORLD_INSIDE
exec "$@"
