# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A kernel of the lab: out of its package into a kernel image, an initramfs, and modules in the guest's root.

# Decompression is slow under emulation, so it is done here.
install_module() {
        local source=$1 target=$2
        mkdir -p "${target%/*}"
        case $source in
        *.xz) xz -dc "$source" >"${target%.xz}" ;;
        *.zst) zstd -dcq "$source" >"${target%.zst}" ;;
        *) cp "$source" "$target" ;;
        esac
}

# Prints the modules that must be loaded for one, itself included, in that order. The configuration of the host
# is kept out: with ndctl installed it has a rule for libnvdimm that hides the module from this listing.
module_closure() {
        modprobe -C /dev/null -d "$1" -S "$2" --show-depends "$3" 2>/dev/null |
                sed -n 's/^insmod \([^ ]*\).*/\1/p'
}

add_modules() {
        local unpacked=$1 release=$2 root=$3 name path
        for name in $(sed '/^#/d; s/^boot://' "$lab/guest/modules"); do
                for path in $(module_closure "$unpacked" "$release" "$name"); do
                        install_module "$path" "$root/usr/lib/modules/$release/${path#*"/modules/$release/"}"
                done
        done
        cp "$unpacked/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$root/usr/lib/modules/$release/"
        depmod -b "$root" "$release"
}

make_initramfs() {
        local root=$1 release=$2 tree=$3 name path
        mkdir -p "$tree/bin" "$tree/modules"
        cp "$(command -v busybox)" "$tree/bin/busybox"
        cp "$lab/guest/init" "$tree/init"
        chmod 755 "$tree/init"
        for name in $(sed -n 's/^boot://p' "$lab/guest/modules"); do
                for path in $(module_closure "$root" "$release" "$name"); do
                        [ -e "$tree/modules/${path##*/}" ] || echo "${path##*/}"
                        cp "$path" "$tree/modules/"
                done
        done >"$tree/order"
        (cd "$tree" && find . | cpio --quiet -o -H newc)
}

# Expects the package unpacked below $1/unpacked/NAME, leaves $1/NAME/{vmlinuz,initrd}.
add_kernel() {
        local work=$1 name=$2 unpacked=$1/unpacked/$2 release
        [ -e "$unpacked/lib" ] || ln -s usr/lib "$unpacked/lib"
        release=$(basename "$unpacked"/lib/modules/*)
        mkdir -p "$work/$name"
        cp "$unpacked"/boot/vmlinuz-* "$work/$name/vmlinuz"
        depmod -b "$unpacked" "$release"
        add_modules "$unpacked" "$release" "$work/root"
        make_initramfs "$work/root" "$release" "$work/initramfs-$name" >"$work/$name/initrd"
        rm -rf "$work/initramfs-$name"
        echo "$release" >"$work/$name/release"
}
