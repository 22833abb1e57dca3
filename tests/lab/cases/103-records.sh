# SPDX-License-Identifier: LGPL-2.1-or-later
# Removal after removal on each road, at random moments of two writers, one through a MAP_SYNC mapping and one with
# write and fsync: what they were told was durable is there when the memory is back, and the filesystem is clean.
# TURNS SEED by PMEMREMOVED_LAB_ARGS: "make check-data" makes 200 turns.
# lab: kernel=new config=two timeout=240
# matrix: two writers, XFS and ext4 | graceful, kill, forced | no acknowledged record lost, logs recovered, checkers clean

turns=${1:-6}
RANDOM=${2:-1}
# Road, filesystem, disk, options of its mount. Nothing can be mapped on pmem1: with DAX, ext4 is never unbound while used.
turn_of=(
        'graceful xfs 0 dax=always'
        'forced xfs 0 dax=always'
        'kill xfs 0 dax=always'
        'forced ext4 1 noatime'
        'graceful ext4 0 dax=always'
        'kill ext4 0 dax=always'
)
# Without pre-remove and the shutdown that comes with the end of a disk.
if [ "$(uname -r | cut -d. -f1,2)" = 6.1 ]; then turn_of=("${turn_of[@]/forced/kill}"); fi
killed=0 records=0

# start_writer NAME ARGUMENT...: not waited for.
start_writer() {
        local name=$1
        shift
        setsid /lab/pmemapp --on-term="$stay" --size=1 --interval=$((RANDOM % 4000)) --ready="/run/ready.$name" \
                --ack="/run/ack.$name" "$@" "$mnt/$name" </dev/null >"/run/log.$name" 2>&1 &
        writers+=($!)
        # Nobody wants to read how it died.
        disown
}

start_writers() {
        writers=()
        # Records of an earlier turn would pass for those of this one.
        rm -f /run/{ack,ready}.* "$mnt"/{written,mapped}
        start_writer written --by-write
        [ "$options" != dax=always ] || start_writer mapped
        wait_for '[ -e /run/ready.written ]' 30
        [ "$options" != dax=always ] || wait_for '[ -e /run/ready.mapped ]' 30
}

# What there was to lose, and that nothing of it is lost.
verify_records() {
        local ack said
        for ack in /run/ack.*; do
                [ -s "$ack" ] || fail "${ack##*.} wrote nothing"
                said=$(/lab/pmemapp --verify --ack="$ack" "$mnt/${ack##*.}") || fail "lost: ${ack##*.}: $said"
                said=${said% acknowledged*}
                records=$((records + ${said##*, }))
        done
}

# As an operator does it now and then; binding the device that was unbound costs a third of that.
bring_memory_back() {
        if [ $((turn % 6)) = 1 ]; then
                bind_again "namespace$n.0" 2>/dev/null
        else
                echo "$device" >/sys/bus/nd/drivers/nd_pmem/bind
                wait_for "[ -b /dev/pmem$n ]" 10
        fi
}

one_turn() {
        local stay=ignore pid device took
        [ "$road" != graceful ] || stay="exit"
        device=$(bound_device "namespace$n.0")
        mount -o "$options" "/dev/pmem$n" "$mnt"
        start_writers
        sleep "0.$(printf %03d $((RANDOM % 300)))"
        # With no budget at all, auto is the kill road.
        case $road in
        graceful) request "namespace$n.0" mode s graceful ;;
        forced) request "namespace$n.0" mode s forced override as 1 freeze-budget ;;
        kill) request "namespace$n.0" ;;
        esac
        wait_removal "done"
        took=$(busctl get-property "$bus_name" "$removal" "$bus_name.Removal" Road Killed)
        [[ $took == "s \"$road\""* ]] || fail "it went another road: $took"
        assert_gone "namespace$n.0"
        must_fail is_mounted
        for pid in "${writers[@]}"; do
                must_fail is_alive "$pid"
        done
        took=${took#*a(usss) }
        killed=$((killed + ${took%% *}))
        bring_memory_back
        mount -o "$options" "/dev/pmem$n" "$mnt"
        verify_records
        umount "$mnt"
        check_small "$fs" "/dev/pmem$n"
}

conf '[Policy]' 'DrainSignals=SIGTERM:1s' 'FreezeBudget=1us'
ndctl destroy-namespace -f namespace1.0
ndctl create-namespace -r region1 -m raw -s 320M >/dev/null
udevadm settle
start_daemon
mkdir -p "$mnt"
made=''
for ((turn = 0; turn < turns; turn++)); do
        read -r road fs n options <<<"${turn_of[turn % ${#turn_of[@]}]}"
        # One filesystem for several turns: what a removal left behind, the next one meets.
        [ "$made" = "$fs$n" ] || make_small "$fs" "/dev/pmem$n"
        made=$fs$n
        began=${EPOCHREALTIME/./}
        one_turn
        if kernel_said 'BUG:|Oops|general protection|WARNING: CPU:'; then fail "turn $turn hurt the kernel"; fi
        printf '%3d %-8s %-4s pmem%d %-10s %d records so far, %d ms\n' "$turn" "$road" "$fs" "$n" "$options" "$records" \
                $(((${EPOCHREALTIME/./} - began) / 1000))
done
note "$turns turns, $records records acknowledged, 0 lost, $killed processes killed," \
        "$(kernel_said 'Starting recovery|recovery complete' | wc -l) logs recovered, no oops"
