# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# One case in one resumed machine, and the verdict on it.

# What a kernel says when it is hurt; a case that provokes it names it with "# lab: allow-oops REGEX".
trouble='BUG:|Oops|general protection|blocked for more than|soft lockup|Bad page state|rcu: INFO|WARNING: CPU:|Kernel panic'
sanitizer_trouble='ERROR: AddressSanitizer|ERROR: LeakSanitizer|runtime error:'

# header CASE KEY DEFAULT: a word of the "# lab:" lines at the top of a case.
header() {
        local value
        value=$(sed -n "s/^# lab:.*[ ]$2=\([^ ]*\).*/\1/p" "$1" | head -n 1)
        echo "${value:-$3}"
}

# hand_over LIMIT JOB: the first thing that the agent hears.
hand_over() {
        printf '%s %s %s %s\n' "$(date +%s.%N)" "$sanitize" "$1" "$2" >&"$ctl_in"
}

# Boots a machine of its own in folder $3 and hands the job over. Its disk with the stage becomes another one under it:
# what unpacks the agent would unpack all of it, and replace links of the root by folders.
boot() {
        local try
        for try in 1 2 3 no; do
                # Like the machines of snapshots, now and then one dies while it boots.
                [ "$try" != no ] || machine_lost
                rm -rf "$3"/{agent,stage,*.in,*.out}
                ! boot_machine "$image" "$1" "$2" "$3" || break
        done
        tar -C "$results/stage" --owner=0 --group=0 --numeric-owner -c . | dd of="$3/stage" bs=1M conv=notrunc status=none
        hand_over "$4" "$5"
}

# Resumes the snapshot in folder $3 and hands the job over. What the case prints comes from $3/out.out. With a folder $6
# the NVDIMMs are the files there, and what is written to them stays.
resume() {
        local kernel=$1 config=$2 folder=$3 limit=$4 job=$5
        machine_arguments "$image" "$kernel" "$config" "$(snapshot_folder "$image" "$kernel" "$config")" \
                "$results/stage.disk" off
        [ -z "${6:-}" ] || use_nvdimms "$(snapshot_folder "$image" "$kernel" "$config")" "$6"
        machine_start "$folder" -incoming defer
        machine_migrate in "$(snapshot_folder "$image" "$kernel" "$config")/state" || machine_lost
        hand_over "$limit" "$job"
        qmp cont
}

# bring_up KERNEL CONFIG FOLDER LIMIT JOB [NVDIMMS]: a machine that is at work, from the snapshot or from nothing.
bring_up() {
        if [ -n "${cold[$2]:-}" ]; then boot "$@"; else resume "$@"; fi
}

use_nvdimms() {
        local i
        for i in "${!qemu[@]}"; do
                [[ ${qemu[i]} == memory-backend-file,id=pmem* ]] || continue
                qemu[i]=${qemu[i]/"$1/nvdimm"/"$2/nvdimm"}
                qemu[i]=${qemu[i]%share=off}share=on
        done
}

# Waits for "exit STATUS" of the agent; the time limit inside the guest comes first, and only a guest that cannot
# keep it any more meets the one here. Leaves the status, or a word on what happened instead, in $1/status.
wait_for_status() {
        local folder=$1 limit=$2 line='' ended=0
        read -r -t "$limit" line <&"$ctl_out" || ended=$?
        case $line in
        "exit "*) echo "${line#exit }" >"$folder/status" ;;
        *)
                # 1 is the end of file: the machine is gone.
                if [ "$ended" != 1 ] && kill -0 "$pid" 2>/dev/null && machine_sysrq; then
                        echo hung >"$folder/status"
                else
                        echo died >"$folder/status"
                fi
                ;;
        esac
}

# one_life FOLDER LIMIT JOB [NVDIMMS]: to the end of the machine.
one_life() {
        local folder=$1 limit=$2 reader
        bring_up "$kernel" "$config" "$folder" "$limit" "$3" "${4:-}"
        # Whoever wants to see the output live has made descriptor 7.
        tee -a "$folder/output" <"$folder/out.out" >&7 &
        reader=$!
        wait_for_status "$folder" $((limit + 20))
        machine_kill
        wait "$reader"
        rm -rf "$folder"/*.in "$folder"/*.out "$folder"/{ram,virtio,stage,agent}
}

# A case "power-loss=yes" has two phases. "CASE cut N ..." sets the stage, and at its Nth instant the machine is gone, or
# it answers "exit 0": there is no such instant, and that was all. "CASE after N ..." begins like a machine that was
# switched on again: nothing is left but what is on the NVDIMMs.
power_losses() {
        local n snapshot
        snapshot=$(snapshot_folder "$image" "$kernel" "$config")
        for ((n = 1; ; n++)); do
                rm -f "$folder"/nvdimm*
                cp --sparse=always "$snapshot"/nvdimm* "$folder/"
                one_life "$folder" "$limit" "$1 cut $n $2" "$folder"
                [ "$(cat "$folder/status")" = died ] || break
                mv "$folder/console" "$folder/console-$n"
                one_life "$folder" "$limit" "$1 after $n $2" "$folder"
                [ "$(cat "$folder/status")" = 0 ] || break
        done
        rm -f "$folder"/nvdimm*
}

run_case() (
        kernel=$1 config=$2 case=$3 folder=$4 limit=$5
        rm -rf "$folder"
        mkdir -p "$folder"
        stop_with_me
        if [ "$(header "$case" power-loss no)" = yes ]; then
                power_losses "cases/$(basename "$case")" "${PMEMREMOVED_LAB_ARGS:-}"
        else
                one_life "$folder" "$limit" "cases/$(basename "$case") ${PMEMREMOVED_LAB_ARGS:-}"
        fi
)

# An emulated kernel that patches its own code on one processor may be met by the other one in between: that is the
# emulator's fault and nobody else's, so the case gets a second machine.
run_case_fairly() {
        run_case "$@" || true
        if grep -qs 'Oops: int3' "$4/log" "$4"/console*; then
                echo "lab: the emulator broke the kernel under $(basename "$3"), once more" >&2
                run_case "$@" || true
        fi
}

# Why a case did not pass, or nothing.
complaint() {
        local case=$1 folder=$2 limit=$3 status allowed hits
        status=$(cat "$folder/status" 2>/dev/null || echo "no machine")
        allowed=$(sed -n 's/^# lab: allow-oops //p' "$case" | paste -sd'|')
        hits=$({
                sed '/^--- journal/,$d' "$folder/log"
                cat "$folder"/console*
        } 2>/dev/null | grep -E "$trouble" | grep -vE "${allowed:-^$}" | head -n 1)
        case $status in
        0 | 77) ;;
        124) echo "not finished after $limit s" ;;
        hung) echo "the guest hangs, see $folder/console" ;;
        died) echo "the guest died, see $folder/console" ;;
        *) echo "exit status $status" ;;
        esac
        [ -z "$hits" ] || echo "kernel: $hits"
        grep -hE -m 1 "$sanitizer_trouble" "$folder/log" "$folder/output" 2>/dev/null | head -n 1
}

# judge NUMBER KERNEL CONFIG CASE FOLDER LIMIT STARTED: the one line of a case.
judge() {
        local why verdict=ok status
        why=$(complaint "$4" "$5" "$6" | paste -sd'|' | sed 's/|/; /g')
        status=$(cat "$5/status" 2>/dev/null || true)
        [ "$status" != 77 ] || verdict=skip
        [ -z "$why" ] || verdict=FAIL
        printf '%-4s %-3s %-4s %6.1f s  %s%s\n' "$verdict" "$2" "$3" \
                "$(awk -v a="$7" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')" "$(basename "$4" .sh)" \
                "${why:+  $why}" >"$results/result.$(printf %03d "$1")"
        cat "$results/result.$(printf %03d "$1")"
        [ "$verdict" != FAIL ]
}

case_folder() {
        echo "$results/$1-$2-$(basename "$3" .sh)"
}

# A case among others: its output is shown only when it failed.
quiet_job() {
        local folder limit start=$EPOCHREALTIME
        folder=$(case_folder "$2" "$3" "$4")
        limit=${timeout:-$(header "$4" timeout 120)}
        run_case_fairly "$2" "$3" "$4" "$folder" "$limit" 7>/dev/null
        judge "$@" "$folder" "$limit" "$start" || sed 's/^/    /' "$folder/output" 2>/dev/null
}

# A single case: its output as it comes.
loud_job() {
        local folder limit start=$EPOCHREALTIME
        folder=$(case_folder "$2" "$3" "$4")
        limit=${timeout:-$(header "$4" timeout 120)}
        run_case_fairly "$2" "$3" "$4" "$folder" "$limit" 7>&1
        judge "$@" "$folder" "$limit" "$start" || true
}

# The guest's serial line becomes this terminal until its shell ends.
guest_shell() (
        # A command in the background has no standard input of its own.
        exec 6<&0
        folder=$results/shell
        rm -rf "$folder"
        mkdir -p "$folder"
        stop_with_me
        bring_up "$1" "$2" "$folder" 0 shell
        cat "$folder/out.out" &
        tail -n 0 -f "$folder/console" &
        tail=$!
        stty raw -echo 2>/dev/null || true
        # Before the prompt nobody listens there.
        until [ -s "$folder/console" ]; do sleep 0.1; done
        cat <&6 >&"$con_in" &
        typist=$!
        wait_for_status "$folder" 86400
        kill "$tail" "$typist" 2>/dev/null
        stty sane 2>/dev/null || true
)
