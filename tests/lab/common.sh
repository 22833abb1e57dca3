# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
# Shared by the programs of the lab on the host.
lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${PMEMREMOVED_LAB_CACHE:-/var/cache/pmemremoved-lab}

# Not a failure of what is tested: the exit status by which automake knows a skipped test.
impossible() {
        printf 'lab: %s\n' "$1" >&2
        exit 77
}

usage_error() {
        printf 'lab: %s\n' "$1" >&2
        exit 2
}

need() {
        local tool
        for tool; do
                command -v "$tool" >/dev/null || impossible "$tool is missing: ./bootstrap.sh deps installs it"
        done
}

# One key for everything the image is made from.
image_key() {
        { echo "$1"; cat "$lab/image" "$lab/kernel.sh" "$lab"/guest/*; } | sha256sum | cut -c1-12
}
