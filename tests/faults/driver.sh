# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# In the guest: one shape of plan, one fault after the other, without a reboot. What there is to be hit is not written down but
# learned from one removal that goes well and one that is undone, whose points (src/util/fault.h) are traced; each point is then
# hit for each set of victims that was there. A row ends as before, removed or stuck with a sentence; else it has failed.
# The case sets shape, every=N part=K for each Nth row only, and only= for a text that a row must have.
# shellcheck source=tests/faults/shapes.sh
. /lab/faults/shapes.sh

run=/run/pmemremoved
faults=$run/faults
procs=/sys/fs/cgroup/system.slice/pmemremoved.service/cgroup.procs
# How long a removal may take on a busy machine that emulates another one; nothing in it waits for longer than seconds.
row_limit=120
failures=0
exec {tick}<> <(:)

# pause SECONDS: no process, which would cost more than the time.
pause() {
        read -r -t "$1" -u "$tick" _ || true
}

now() {
        echo "${EPOCHREALTIME/./}"
}

# until_true SECONDS COMMAND...
until_true() {
        local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
        shift
        until "$@"; do
                [ "${EPOCHREALTIME/./}" -lt "$deadline" ] || return 1
                pause 0.02
        done
}

# --- the world ---

# Everything that a removal changes and has to give back, without the numbers that devices may get anew.
snapshot() {
        local file link device
        for link in /sys/bus/nd/drivers/*/* /sys/bus/dax/drivers/*/*; do
                [ -L "$link" ] || continue
                case ${link##*/} in
                pfn*.*) link=${link%/*}/pfn${link##*/pfn} link=${link%.*} ;;
                module) continue ;;
                esac
                echo "$link"
        done
        while read -r _ _ _ root place options rest; do
                case "$place ${rest#* - }" in
                *pmem* | */dev/mapper/* | */dev/md* | */dev/loop*)
                        [[ $rest != *"- tmpfs "* ]] || continue
                        echo "mount $root $place $options ${rest#* - }"
                        ;;
                esac
        done </proc/self/mountinfo
        while read -r device _ _ _ options; do echo "swap $device $options"; done </proc/swaps
        for file in /sys/block/dm-*/dm/name; do
                [ ! -e "$file" ] || dmsetup table "$(<"$file")" | sed -E "s/[0-9]+:[0-9]+/N/g; s|^|${file##*/} |"
        done
        for file in /sys/block/md*/md; do
                [ ! -e "$file/level" ] || echo "$file $(<"$file/level") $(<"$file/degraded") $(echo "$file"/dev-*)"
        done 2>/dev/null
        for file in /sys/devices/system/memory/memory*/state; do
                [ "${setup:-}" != kmem ] || echo "$file $(<"$file")"
        done
        for file in /sys/block/loop*/loop/backing_file; do
                [ ! -e "$file" ] || echo "$file $(<"$file")"
        done
        [ "${setup:-}" != units ] || systemctl show -P ActiveState -P LoadState app.service mnt-pmem.mount
        for link in /run/systemd/system/* /run/systemd/system.control/*; do
                [ ! "$link" -ef /dev/null ] || echo "masked $link"
        done
        echo "console $(</proc/sys/kernel/printk)"
        [ -z "${app:-}" ] || { ! is_alive "$app" || echo "the application lives"; }
}

# can_write: no process of ours sleeps on what is frozen for longer than this.
can_write() {
        local writer
        is_mounted || return 0
        (: >"$mnt/.probe") 2>/dev/null &
        writer=$!
        until_true 5 not_alive "$writer"
}

not_alive() {
        ! is_alive "$1"
}

# The daemon alone: no worker, no guardian, no child in the kernel.
is_quiet() {
        local pids
        mapfile -t pids <"$procs" || return 1
        [ ${#pids[@]} -eq 1 ]
} 2>/dev/null

whole_arrays() {
        local file
        for file in /sys/block/md*/md/degraded; do
                [ ! -e "$file" ] || [ "$(<"$file")" = 0 ] || return 1
                [ ! -e "$file" ] || [ "$(<"${file%/*}/sync_action")" = idle ] || return 1
        done 2>/dev/null
}

as_it_was() {
        until_true 20 whole_arrays || true
        until_true 3 same_world || { diff <(echo "$before") <(snapshot); return 1; }
        can_write || { echo "it is frozen"; return 1; }
}

# The dead do not come back: an application may be missing that the ledger says was killed.
same_world() {
        local now line
        now=$(snapshot)
        [ "$now" != "$before" ] || return 0
        [ "$now"$'\n'"the application lives" = "$before" ] || return 1
        for line in "${lines[@]}"; do [[ $line != "killed $app "* ]] || return 0; done
        return 1
}

is_removed() {
        ! is_bound "$target" || { echo "$target has a driver"; return 1; }
        case $setup in
        leg) return 0 ;;
        esac
        ! is_mounted || { echo "$mnt is mounted"; return 1; }
        [ -z "${app:-}" ] || ! is_alive "$app" || { echo "the application lives"; return 1; }
}

# --- one removal ---

ask() {
        busctl --timeout=60 call "$bus_name" "$bus_path" "$bus_name.Manager" RequestRemove 'sa{sv}' "$target" 1 mode s "$mode"
}

ledger_lines() {
        mapfile -t lines <"$ledger"
} 2>/dev/null

is_reported() {
        # One that has just been made is empty.
        ledger_lines && [ ${#lines[@]} -gt 0 ] && [[ ${lines[-1]} == reported* ]]
}

last_id() {
        id=0
        { read -r id <"$run/last-id"; } 2>/dev/null || true
}

# What the ledger's last word is, in $result, $state and $sentence.
read_end() {
        local line
        result='' state='' sentence=''
        for line in "${lines[@]}"; do
                [[ $line == finished* ]] || continue
                [[ ! $line =~ result=([a-z-]+) ]] || result=${BASH_REMATCH[1]}
                [[ ! $line =~ state=([a-z-]+) ]] || state=${BASH_REMATCH[1]}
                [[ ! $line =~ sentence=(.*) ]] || sentence=${BASH_REMATCH[1]}
        done
}

# remove_once: asks, and waits until the ledger is closed and nobody but the daemon is left. What went wrong in $wrong,
# what the daemon answered in $answer.
remove_once() {
        local before_id
        wrong=''
        last_id
        before_id=$id
        answer=$(ask 2>&1) || answer="no answer: $answer"
        last_id
        ledger=$run/$id.ledger
        if [ "$id" = "$before_id" ]; then
                result=none state=none
                until_true "$row_limit" is_quiet || wrong="a process is left; "
                [[ $answer == "no answer: "* ]] || wrong+="no ledger after $answer"
                return 0
        fi
        until_true "$row_limit" is_reported || wrong="the ledger is not closed; "
        until_true "$row_limit" is_quiet || wrong+="a process is left; "
        ledger_lines || wrong+="no ledger; "
        read_end
        same_result || true
}

# The daemon, asked over the bus, says the same as the ledger.
same_result() {
        local said
        said=$(busctl --timeout=20 get-property "$bus_name" "$bus_path/removal/$id" "$bus_name.Removal" Result 2>&1) ||
                said=$(busctl --timeout=20 get-property "$bus_name" "$bus_path/removal/$id" "$bus_name.Removal" Result 2>&1)
        [ "$said" = "s \"$result\"" ] || wrong+="the daemon says $said, the ledger $result; "
}

# Brings the world back to what $before says, after a row that ended otherwise.
put_up() {
        if ! is_bound "$target"; then bind_again "$target"; fi
        "up_$setup"
}

# judge_end: what the end is worth; "as-before", "removed", "stuck" or "FAILED" in $verdict, more in $why.
judge_end() {
        verdict=FAILED why=$wrong
        [ -z "$wrong" ] || return 0
        case $state in
        succeeded)
                why=$(is_removed) || return 0
                verdict=removed
                ;;
        partial)
                # The memory is gone; what else is left is what the sentence is for.
                [ "${sentence:-\"\"}" != '""' ] || { why="partial without a sentence"; return 0; }
                ! is_bound "$target" || { why="partial, and $target has a driver"; return 0; }
                why=$sentence verdict=removed
                ;;
        stuck)
                [ "${sentence:-\"\"}" != '""' ] || { why="stuck without a sentence"; return 0; }
                why=$sentence verdict=stuck
                ;;
        rolled-back | none)
                why=$(as_it_was) || return 0
                verdict=as-before
                ;;
        *) why="the state is \"$state\"" ;;
        esac
}

# --- rows ---

# word TEXT: as a Record has it, with quotes only where it needs them.
word() {
        case $1 in
        *' '* | '') echo "\"$1\"" ;;
        *) echo "$1" ;;
        esac
}

# arm N LINE: before anybody is near a point, so nobody reads half of it.
arm() {
        echo "fault $2" >"$faults/$1"
}

# was_hit N ROLE
was_hit() {
        # With set -e, $(<FILE) of what is not there is the end of bash 5.2, whoever asks.
        [ -e "$faults/$1.fired" ] && [[ " $(<"$faults/$1.fired")" == *" $2="* ]]
}

disarm() {
        rm -f "$faults"/[1-4] "$faults"/*.fired "$faults/trace"
}

# row NAME WHOM FAULT...: each fault is a line for arm.
row() {
        local name=$1 whom=$2 n=0 started fault missing=''
        shift 2
        started=$(now)
        disarm
        for fault; do arm $((n += 1)) "$fault"; done
        remove_once
        for fault in $whom; do [ "$fault" = - ] || was_hit "$n" "$fault" || missing+=" $fault"; done
        [ -z "$missing" ] || wrong+="not hit:$missing; "
        missing=''
        for ((; n > 0; n--)); do [ -e "$faults/$n.fired" ] || missing+=" $n"; done
        [ -z "$missing" ] || wrong+="fault$missing was not met, asked: $answer; "
        judge_end
        printf 'row %-9s %5d ms  %-12s %s\n' "$verdict" $((($(now) - started) / 1000)) "${whom// /+}" "$name"
        [ "$verdict" != FAILED ] || explain
        ready_again
}

# ready_again: for the next row.
ready_again() {
        case $verdict:$state in
        *:partial | FAILED:* | stuck:*) reset ;;
        removed:*) put_up; as_it_was >/dev/null || reset ;;
        as-before:*) [ -z "${app:-}" ] || is_alive "$app" || reset ;;
        esac
}

explain() {
        failures=$((failures + 1))
        printf '    %s\n' "${why:-no reason}"
        { cat "$faults"/*.fired 2>/dev/null || true; } | sed 's/^/    /'
        { sed -n '/^end$/,$p' "$ledger" 2>/dev/null || true; } | cut -c -200 | sed 's/^/    | /'
        [ "$failures" -lt 8 ] || fail "too many failures"
}

# From scratch, after something that must not have happened.
reset() {
        note "put up anew"
        systemctl kill -s KILL pmemremoved 2>/dev/null || true
        [ -z "${app:-}" ] || kill -KILL "$app" 2>/dev/null || true
        fsfreeze -u "$mnt" 2>/dev/null || true
        swapoff -a
        systemctl stop app.service 2>/dev/null || true
        while umount /mnt/loop 2>/dev/null; do :; done
        losetup -D
        while umount "$mnt" 2>/dev/null; do :; done
        dmsetup remove_all 2>/dev/null || true
        rm -f "$run"/*.ledger
        systemctl reset-failed pmemremoved 2>/dev/null || true
        start_daemon
        thaw_as_told
        put_up || fail "it cannot be put up again"
        before=$(snapshot)
}

# The advice of a removal that left a freeze which nobody has a handle on.
thaw_as_told() {
        local ghost
        [[ $sentence =~ (/sys/fs/[^ ]*).*echo\ j ]] || return 0
        ghost=${BASH_REMATCH[1]}
        echo j >/proc/sysrq-trigger
        wait_for "[ ! -e $ghost ]" 10
}

# reference FAULT...: a removal with these faults whose points are traced.
reference() {
        disarm
        : >"$faults/trace"
        local n=0 fault
        for fault; do arm $((n += 1)) "$fault"; done
        remove_once
        judge_end
        cp "$faults/trace" "$faults/points"
        disarm
        [ "$verdict" = removed ] || [ "$verdict" = as-before ] || fail "the reference is $verdict: $why"
        ready_again
        as_it_was || fail "it cannot be put up again"
}

# step_of OP: the number of the first step of that name in the plan of the last ledger.
step_of() {
        local line n=0
        for line in "${lines[@]}"; do
                [[ $line == step\ * ]] || continue
                n=$((n + 1))
                [[ $line != *" op=$1"* ]] || { echo "$n"; return; }
        done
}

# rows PREFIX ROLE FAULT: the rows "NAME|WHOM|FAULT..." for the points of a role in the last reference, from its first
# "rollback" or "recovering" on where PREFIX is not empty; with the fault before them that makes it go there.
rows() {
        awk -v prefix="$1" -v role="$2" -v first="$3" -v alike="$(alike)" -f /lab/faults/rows.awk "$faults/points"
}

# alike: the numbers of the steps of the last ledger's plan that do the same in every shape, with blanks around each;
# none for the shapes that go through them for the others.
alike() {
        local line n=0 list=' '
        case $shape in
        graceful-xfs | forced-mapped) return 0 ;;
        esac
        for line in "${lines[@]}"; do
                [[ $line == step\ * ]] || continue
                n=$((n + 1))
                [[ ! $line =~ " op="(announce|query|prepare|signal|commit|settle|flush|verify|done)(" "|$) ]] || list+="$n "
        done
        echo "$list"
}

# chosen: of the rows, each Nth of each set of victims, from one that depends on the shape.
chosen() {
        awk -F '|' -v every="$every" -v part="$part" -v only="$only" -v shape="$shape" -f /lab/faults/choose.awk
}

# Each is a reference and the rows of the deaths after it.
series_undo() {
        local first="before detail=$last by=worker action=fail err=5"
        reference "$first" >&2
        rows undo worker "$first"
}

series_recovery() {
        local first="before detail=$last by=worker whom=worker action=kill"
        reference "$first" >&2
        rows recovery recovery "$first"
}

series_post() {
        local first="before detail=$last by=worker whom=\"worker daemon\" action=kill"
        reference "$first" >&2
        rows post recovery "$first"
}

series_forward() {
        local first
        first="after detail=$(step_of unbind) by=worker whom=worker action=kill"
        reference "$first" >&2
        rows forward recovery "$first"
}

# All series; where only few rows are wanted, the way forward and one other, for each costs a removal.
all_rows() {
        local last series=(undo recovery post) which
        reference >&2
        rows '' worker ''
        rows '' daemon ''
        last=$(step_of commit)
        if [ -n "$last" ]; then series+=(forward); else last=$(step_of verify); fi
        if [ "$every" -eq 0 ]; then
                series=()
        elif [ "$every" -ge 20 ]; then
                which=$(((${#shape} + part) % ${#series[@]}))
                series=("${series[which]}")
        fi
        for which in "${series[@]}"; do "series_$which"; done
}

prepare() {
        read -r _ setup target mode < <(shapes | grep "^$shape ")
        mkdir -p /run/systemd/system/pmemremoved.service.d
        printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=0\n' \
                >/run/systemd/system/pmemremoved.service.d/faults.conf
        conf '[Policy]' 'DrainSignals=SIGTERM:50ms'
        start_daemon
        pmemremoved --version | grep -q 'fault injection' || fail "this build has no fault injection"
        mkdir -p "$faults"
        ! declare -F "setup_$setup" >/dev/null || "setup_$setup"
        "up_$setup"
        before=$(snapshot)
        printf '%s\n' "$before"
}

matrix() {
        local line name whom first second list
        prepare
        all_rows >/run/rows
        grep '^pruned|' /run/rows | sort | uniq -c | sed 's/^ *\([0-9]*\) pruned|/pruned \1 /'
        [ "$every" -gt 0 ] || return 0
        mapfile -t list < <(grep -v '^pruned|' /run/rows | chosen)
        note "${#list[@]} rows"
        for line in "${list[@]}"; do
                IFS='|' read -r name whom first second <<<"$line"
                row "$name" "$whom" "$first" ${second:+"$second"}
        done
        the_end
}

the_end() {
        [ "$failures" -eq 0 ] || fail "$failures rows"
}
