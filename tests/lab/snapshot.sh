# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A booted and prepared machine, saved once per kernel and configuration, that every case resumes. The files of
# its memory and NVDIMMs are mapped copy-on-write by the resumed machines: nothing is copied, and two of them can
# run from one snapshot.

# All disks of this purpose have one size, since a resumed guest goes on believing in the size it booted with.
stage_size=512M

# write_stage DISK TREE: the stage disk is a bare tar.
write_stage() {
        tar -C "$2" --owner=0 --group=0 --numeric-owner -cf "$1.tmp" .
        truncate -s "$stage_size" "$1.tmp"
        mv "$1.tmp" "$1"
}

snapshot_folder() {
        local image=$1 kernel=$2 config=$3
        echo "$cache/snapshot-$kernel-$config-$({
                echo "$image" "$processors" "$(accelerator "$image")" "$(qemu-system-x86_64 --version)"
                cat "$lab/machine.sh" "$lab/snapshot.sh" "$lab/agent"
        } | sha256sum | cut -c1-12)"
}

# boot_machine IMAGE KERNEL CONFIG FOLDER: from nothing to the agent's word.
boot_machine() {
        local image=$1 kernel=$2 config=$3 folder=$4 count=${nvdimms[$3]} n line
        mkdir "$folder/agent" "$folder/agent/lab"
        cp "$lab/agent" "$folder/agent/lab/"
        write_stage "$folder/stage" "$folder/agent"
        for ((n = 0; n < count; n++)); do
                truncate -s "${nvdimm_size}M" "$folder/nvdimm$n"
        done
        machine_arguments "$image" "$kernel" "$config" "$folder" "$folder/stage" on
        machine_start "$folder"
        if ! read -r -t 180 line <&"$ctl_out" || [ "$line" != ready ]; then
                tail -n 5 "$folder/console" >&2
                machine_sysrq
                machine_kill
                return 1
        fi
}

# Boots, stops and saves.
save_machine() {
        local folder=$4
        boot_machine "$@" || return
        if ! qmp stop || ! machine_migrate out "$folder/state"; then
                machine_kill
                return 1
        fi
        machine_quit
        rm -rf "$folder"/{agent,stage,*.in,*.out}
}

# Prints nothing when it is there already. Several may ask at once, the lock lets one make it.
make_snapshot() (
        [ -z "${cold[$3]:-}" ] || return 0
        folder=$(snapshot_folder "$@")
        [ -e "$folder/state" ] && { touch "$folder"; return; }
        exec 9>"$cache/lock-$2-$3"
        flock 9
        [ -e "$folder/state" ] && return
        find "$cache" -maxdepth 1 -name "snapshot-$2-$3-*" -mtime +1 -exec rm -rf {} +
        start=$SECONDS
        stop_with_me
        # Now and then a kernel dies while it boots under emulation: it patches its own code on one processor while the
        # other runs it ("Oops: int3").
        for try in 1 2 3 4 5 6; do
                rm -rf "$folder.tmp"
                mkdir "$folder.tmp"
                save_machine "$@" "$folder.tmp" && break
                echo "lab: kernel $2 with configuration $3 did not boot (try $try), see $folder.tmp/console" >&2
                [ "$try" -lt 6 ] || return 1
        done
        mv "$folder.tmp" "$folder"
        echo "lab: booted kernel $2, configuration $3, for later resumes: $((SECONDS - start)) s" >&2
)
