#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# From a clone to a demonstration, a test run or an installation. The one command a newcomer needs.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$top/build
logs=$build/logs

usage() {
        cat <<END
usage: ./bootstrap.sh demo      build, and see a removal on a real kernel in a virtual machine
       ./bootstrap.sh check     build, and run all tests, those in virtual machines too
       ./bootstrap.sh install   build, and install below /usr
       ./bootstrap.sh deps [build|lab]   only install the packages that building and testing need
END
}

# What is needed, by distribution. One row each: what it is, Debian and Ubuntu, Fedora, openSUSE.
packages() {
        cat <<'END'
build autoconf              autoconf              autoconf
build automake              automake              automake
build pkg-config            pkgconf-pkg-config    pkgconf-pkg-config
build gcc                   gcc                   gcc
build libc6-dev             glibc-devel           glibc-devel
build make                  make                  make
build libsystemd-dev        systemd-devel         systemd-devel
build libudev-dev           systemd-devel         libudev-devel
build libndctl-dev          ndctl-devel           libndctl-devel
build libdaxctl-dev         daxctl-devel          libndctl-devel
build libmount-dev          libmount-devel        libmount-devel
build libblkid-dev          libblkid-devel        libblkid-devel
build libdevmapper-dev      device-mapper-devel   device-mapper-devel
build libsmartcols-dev      libsmartcols-devel    libsmartcols-devel
build libinih-dev           inih-devel            inih-devel
build libgcrypt20-dev       libgcrypt-devel       libgcrypt-devel
build xfslibs-dev           xfsprogs-devel        xfsprogs-devel
test  libcmocka-dev         libcmocka-devel       libcmocka-devel
test  umockdev              umockdev              umockdev
test  dbus                  dbus-daemon           dbus-1
test  clang                 clang                 clang
test  clang-tidy            clang-tools-extra     clang-tools
test  clang-format          clang-tools-extra     clang-tools
test  cppcheck              cppcheck              cppcheck
test  shellcheck            ShellCheck            ShellCheck
test  codespell             codespell             codespell
test  mandoc                mandoc                mandoc
test  libxml2-utils         libxml2               libxml2-tools
lab   qemu-system-x86       qemu-system-x86-core  qemu-x86
lab   mmdebstrap            mmdebstrap            -
lab   erofs-utils           erofs-utils           erofs-utils
lab   busybox-static        busybox               busybox-static
lab   cpio                  cpio                  cpio
lab   kmod                  kmod                  kmod
lab   xz-utils              xz                    xz
lab   zstd                  zstd                  zstd
lab   jq                    jq                    jq
END
}

die() {
        printf 'bootstrap: %s\n' "$1" >&2
        exit "${2:-1}"
}

# step WHAT COMMAND...: says what is done and how long it took; what it prints goes to a log.
step() {
        local what=$1 start=$SECONDS log
        log=$logs/$(printf %s "$1" | tr -c 'a-z0-9\n' -).log
        shift
        mkdir -p "$logs"
        printf '%-44s ' "$what ..."
        if ! "$@" >"$log" 2>&1; then
                printf 'failed\n'
                tail -n 15 "$log" >&2
                die "failed: $what; all it said is in $log"
        fi
        printf '%4d s\n' $((SECONDS - start))
}

as_root() {
        if [ "$EUID" -eq 0 ]; then
                "$@"
        else
                command -v sudo >/dev/null || die "this needs root: run it as root, or install sudo"
                sudo -- "$@"
        fi
}

# The column of the table this system reads, and what installs from it.
choose_system() {
        local id like
        # shellcheck source=/dev/null
        { read -r id; read -r like; } < <(. /etc/os-release 2>/dev/null && printf '%s\n%s\n' "${ID:-}" "${ID_LIKE:-}")
        case " $id $like " in
        *" debian "* | *" ubuntu "*) system=debian column=2 ;;
        *" fedora "*) system=fedora column=3 ;;
        *" suse "* | *" opensuse "*) system=suse column=4 ;;
        *) system=unknown column=2 ;;
        esac
}

wanted() {
        local group
        for group; do
                packages | awk -v g="$group" -v c="$column" '$1 == g && $c != "-" { print $c }'
        done | sort -u
}

missing() {
        local package
        for package in $(wanted "$@"); do
                case $system in
                debian) [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package" ;;
                *) rpm -q "$package" >/dev/null 2>&1 || echo "$package" ;;
                esac
        done
}

apt_install() {
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends -o DPkg::Lock::Timeout=600 "$@"
}

# install_packages GROUP...: nothing is asked of the network when all is there.
install_packages() {
        local list
        if [ "$system" = unknown ]; then
                printf 'bootstrap: this system is not known here. Please install what these packages of Debian hold:\n%s\n' \
                        "$(wanted "$@" | paste -sd' ' | fold -sw 90)" >&2
                exit 2
        fi
        mapfile -t list < <(missing "$@")
        [ ${#list[@]} -gt 0 ] || return 0
        case $system in
        debian)
                step "fetching package lists" apt_install update
                step "installing packages (${#list[@]})" apt_install install "${list[@]}"
                ;;
        fedora) step "installing packages (${#list[@]})" as_root dnf -y install "${list[@]}" ;;
        suse) step "installing packages (${#list[@]})" as_root zypper --non-interactive install "${list[@]}" ;;
        esac
}

enough_space() {
        local free
        free=$(df --output=avail -BM "$top" | tail -n 1 | tr -dc 0-9)
        [ "$free" -ge 1000 ] || die "$top has $free MiB of free space, and a build needs 1000"
}

# configure_tree FOLDER OPTION...
configure_tree() {
        local folder=$1
        shift
        mkdir -p "$folder"
        (cd "$folder" && "$top/configure" --prefix=/usr --sysconfdir=/etc --localstatedir=/var "$@")
}

generate() {
        enough_space
        if [ ! -x "$top/configure" ] || [ "$top/configure.ac" -nt "$top/configure" ]; then
                step "generating configure" autoreconf -fi "$top"
        fi
}

# Warnings are errors where the compiler is the one this tree was written with.
build_tree() {
        generate
        [ -e "$build/Makefile" ] || step "configuring" configure_tree "$build" ${CI:+--enable-werror}
        step "compiling" make -C "$build" -j"$(nproc)"
}

# The lab has its own words for what it does, and 77 for what cannot be done here.
lab() {
        local status=0
        as_root env ${PMEMREMOVED_LAB_CACHE:+PMEMREMOVED_LAB_CACHE="$PMEMREMOVED_LAB_CACHE"} "$@" || status=$?
        [ "$status" -ne 77 ] || die "the virtual machine cannot be used here, for the reason above"
        return "$status"
}

demo() {
        install_packages build lab
        build_tree
        lab "$top/tests/lab/run" --build "$build" --config one --timeout 300 "$top/tests/lab/demo.sh"
}

# tests FOLDER NAME: unit tests, the fake world and the house rules; their count on one line.
tests() {
        step "make check$2" make -C "$1" -j"$(nproc)" check
        grep -hE '^# (TOTAL|PASS|SKIP|FAIL|ERROR):' "$logs/make-check$(printf %s "$2" | tr -c 'a-z0-9\n' -).log" |
                tail -n 6 | paste -sd' ' || true
}

# The same once more with another compiler and with the sanitizers.
check_variants() {
        [ -e "$build/clang/Makefile" ] || step "configuring for clang" \
                configure_tree "$build/clang" CC=clang ${CI:+--enable-werror}
        step "compiling with clang" make -C "$build/clang" -j"$(nproc)"
        [ -e "$build/sanitize/Makefile" ] || step "configuring with sanitizers" \
                configure_tree "$build/sanitize" --enable-sanitizers
        step "compiling with sanitizers" make -C "$build/sanitize" -j"$(nproc)"
        # Everything costs ten times as much there, storms as well.
        HOSTILE_COUNT=20 tests "$build/sanitize" " with sanitizers"
        [ -e "$build/faults/Makefile" ] || step "configuring with fault injection" \
                configure_tree "$build/faults" --enable-fault-injection
        step "compiling with fault injection" make -C "$build/faults" -j"$(nproc)"
        step "make check without memory" make -C "$build/faults" check TESTS=tests/faults/memory.sh \
                check_PROGRAMS=tests/bus/fake-machine
}

# CI waits for all of it but clang-tidy, which alone would take longer ("make lint" has it), the cases on the old kernel
# of which the new one shows the same, and the long cases of which shorter ones show the better part.
check() {
        local cases=$top/tests/lab/cases
        install_packages build test lab
        build_tree
        tests "$build" ""
        check_variants
        [ -z "${CI:-}" ] || step "make lint" make -C "$build" lint LINT_PARTS="format shell spelling cppcheck man"
        [ -z "${CI:-}" ] || step "make distcheck" make -C "$build" -j"$(nproc)" distcheck
        # The roads of a removal; --all in place of the cases has them all, and takes three times as long.
        echo "in virtual machines, with sanitizers:"
        lab "$top/tests/lab/run" --kernel new --build "$build/sanitize" "$cases"/1[0-9]-*.sh
        # "make check-faults" has all of it, in hours where the machine is emulated.
        echo "in virtual machines, some of the crash matrix:"
        lab "$top/tests/faults/run" --build "$build/faults" --every 50 graceful-xfs forced-mapped
        echo "in virtual machines:"
        if [ -n "${CI:-}" ]; then
                lab make -s -C "$build" check-lab LAB_ARGS="--kernel new --brief"
                lab "$top/tests/lab/run" --kernel old --build "$build" "$cases"/{10,12,15,16,17,44,53,60,71,76}-*.sh
        else
                lab make -s -C "$build" check-lab
        fi
}

install_tree() {
        install_packages build
        build_tree
        step "installing" as_root make -C "$build" install
        if [ -d /run/systemd/system ]; then
                step "telling systemd and D-Bus" reload_services
        fi
        echo "Installed. To start it: systemctl enable --now pmemremoved"
}

reload_services() {
        as_root systemctl daemon-reload
        as_root systemd-sysusers
        as_root busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig
}

main() {
        local started=$SECONDS verb=${1:-}
        umask 022
        choose_system
        case $verb in
        demo) demo ;;
        check) check ;;
        install) install_tree ;;
        deps)
                shift
                # shellcheck disable=SC2046 # one or three words
                install_packages $([ $# -gt 0 ] && printf '%s ' "$@" || echo build test lab)
                ;;
        help | --help | -h) usage; return ;;
        *) usage >&2; exit 2 ;;
        esac
        echo "$verb: done after $((SECONDS - started)) s"
}

main "$@"
