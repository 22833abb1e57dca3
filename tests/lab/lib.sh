# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Read before each case, in the guest, as root. Checks read the world: sysfs, mountinfo, /proc, the data.
set -Eeuo pipefail
mnt=/mnt/pmem
victims=()

note() {
        printf -- '--- %s\n' "$*"
}

fail() {
        printf 'FAILED: %s\n' "$*"
        exit 1
}

skip() {
        printf 'skipped: %s\n' "$*"
        exit 77
}

# To stderr: a command that fails inside $(...) must not put this text into what is captured.
trap 'printf "FAILED: %s:%s: %s\n" "${BASH_SOURCE[0]}" "$LINENO" "$BASH_COMMAND" >&2' ERR

# wait_for 'COMMAND' SECONDS: until the command succeeds.
wait_for() {
        local deadline=$((${EPOCHREALTIME/./} + $2 * 1000000))
        until eval "$1" >/dev/null 2>&1; do
                [ "${EPOCHREALTIME/./}" -lt "$deadline" ] || fail "not within $2 s: $1"
                sleep 0.05
        done
}

# must_fail COMMAND...: a success is the failure.
must_fail() {
        if "$@"; then fail "succeeded, and must not: $*"; fi
}

# mount_pmem [DEVICE [FOLDER]]: the snapshot left an XFS with rmapbt on /dev/pmem0.
mount_pmem() {
        mkdir -p "${2:-$mnt}"
        mount -o dax=always "${1:-/dev/pmem0}" "${2:-$mnt}"
}

# mount_slow: an XFS over a device that suspend_slow stops: whatever needs its storage then sleeps in the kernel.
mount_slow() {
        echo 0 >/proc/sys/kernel/hung_task_timeout_secs
        wipefs -qa /dev/pmem0
        dmsetup create slow --table "0 $(cat /sys/block/pmem0/size) linear /dev/pmem0 0"
        udevadm settle
        mkfs.xfs -q -f /dev/mapper/slow
        mkdir -p "$mnt"
        mount /dev/mapper/slow "$mnt"
}

suspend_slow() {
        dmsetup suspend --noflush --nolockfs slow
}

make_ext4() {
        mkfs.ext4 -q -F -b 4096 "${1:-/dev/pmem0}"
}

make_xfs() {
        mkfs.xfs -q -f -m rmapbt="${2:-1}",reflink=0 -d su=2m,sw=1,agcount=2 -l size=64m "${1:-/dev/pmem0}"
}

# make_small xfs|ext4 DEVICE: where making and checking it would take longer than what is tested.
make_small() {
        case $1 in
        xfs) mkfs.xfs -q -f -m rmapbt=1,reflink=0 -d su=2m,sw=1,agcount=2 -l size=64m "$2" ;;
        ext4) mkfs.ext4 -q -F -b 4096 "$2" 128m ;;
        esac
}

# check_small xfs|ext4 DEVICE: after a mount, which recovers the log; before it there is nothing to check.
check_small() {
        case $1 in
        xfs) xfs_repair -n "$2" ;;
        ext4) e2fsck -fn "$2" ;;
        esac >/run/checked 2>&1 || fail "the checker found: $(tail -n 5 /run/checked)"
}

# start_app ARGUMENT...: a pmemapp in the background, its pid in $app, ready when this returns.
start_app() {
        local ready
        ready=$(mktemp -u /run/pmemapp.XXXXXX)
        setsid /lab/pmemapp --ready="$ready" "$@" </dev/null >"$ready.log" 2>&1 &
        app=$!
        victims+=("$app")
        wait_for "[ -e $ready ] || ! is_alive $app" 30
        [ -e "$ready" ] || fail "pmemapp $*: $(cat "$ready.log")"
}

# A zombie is not alive: it holds nothing.
is_alive() {
        local stat
        { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return
        stat=${stat##*) }
        [ "${stat%% *}" != Z ]
}

state_of() {
        sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status"
}

# What is asked again and again starts no process: that costs most where the processor is emulated.
is_mounted() {
        local lines line field='[^ ]+ '
        mapfile -t lines </proc/self/mountinfo
        for line in "${lines[@]}"; do
                [[ ! $line =~ ^$field$field$field$field"${1:-$mnt} " ]] || return 0
        done
        return 1
}

# The device below namespace $1 to which the driver is bound: pfn0.0 for fsdax, the namespace itself in raw mode.
bound_device() {
        local link name
        for link in /sys/bus/nd/drivers/{nd,dax}_pmem/*; do
                name=''
                { read -r name <"$link/namespace"; } 2>/dev/null || true
                if [ "$name" = "$1" ] || [ "${link##*/}" = "$1" ]; then
                        echo "${link##*/}"
                        return
                fi
        done
        return 1
}

is_bound() {
        bound_device "$1" >/dev/null
}

# Nothing of the namespace is left: no driver, no disk (pmem0 of namespace0.0, pmem0.1 of namespace0.1, pmem0s in sector
# mode).
assert_gone() {
        local disk=pmem${1#namespace} name
        disk=${disk%.0}
        if is_bound "$1"; then fail "$1 still has a driver"; fi
        for name in "$disk" "${disk}s"; do
                [ ! -e "/sys/block/$name" ] || fail "/sys/block/$name is still there"
                [ ! -e "/dev/$name" ] || fail "/dev/$name is still there"
        done
}

# bind_again NAMESPACE: as an operator brings memory back; the pfn device gets a new name each time.
bind_again() {
        ndctl disable-namespace "$1" >/dev/null 2>&1 || true
        ndctl enable-namespace "$1" >/dev/null
        wait_for "is_bound $1" 10
        udevadm settle
}

# A write that does not come back within three seconds, on a machine that may be busy, is what a freeze looks like from outside.
is_frozen() {
        local probe=${1:-$mnt}/.frozen
        ! timeout -s KILL 3 sh -c "echo x >'$probe'"
}

# spawn_idle N: processes that cost nothing and only count.
spawn_idle() {
        local ready
        ready=$(mktemp -u /run/sleepers.XXXXXX)
        /lab/sleepers "$1" "$ready" >/dev/null 2>&1 &
        wait_for "[ -e $ready ]" 60
}

processes() {
        local all=(/proc/[0-9]*)
        echo "${#all[@]}"
}

# The kernel log since the case began.
kernel_said() {
        dmesg | grep -E -- "$1"
}

# --- the daemon ---

bus_name=org.pmemremoved1
bus_path=/org/pmemremoved1

# conf LINE...: the whole policy file.
conf() {
        printf '%s\n' "$@" >/etc/pmemremoved.conf
}

# child_named COMM: the first process of the service that calls itself so.
child_named() {
        local pid comm
        while read -r pid; do
                { read -r comm <"/proc/$pid/comm"; } 2>/dev/null || continue
                [ "$comm" != "$1" ] || { echo "$pid"; return; }
        done </sys/fs/cgroup/system.slice/pmemremoved.service/cgroup.procs
        return 1
}

start_daemon() {
        systemctl start pmemremoved
}

# request TARGET [KEY TYPE VALUE]...: RequestRemove by busctl; the removal's path in $removal.
request() {
        local target=$1
        shift
        removal=$(busctl --timeout=120 call "$bus_name" "$bus_path" "$bus_name.Manager" RequestRemove 'sa{sv}' \
                "$target" $(($# / 3)) "$@") || return
        removal=${removal#o \"}
        removal=${removal%\"}
}

# wait_removal RESULT: waits for the end of $removal and compares.
wait_removal() {
        local result
        result=$(busctl --timeout=120 call "$bus_name" "$removal" "$bus_name.Removal" Wait)
        [ "$result" = "s \"$1\"" ] || fail "the result is $result, not $1: $(property Error)"
}

property() {
        busctl get-property "$bus_name" "$removal" "$bus_name.Removal" "$1"
}

# refused ERROR KEYWORD... -- TARGET [KEY TYPE VALUE]...: the request fails with this error and changes nothing.
refused() {
        local error=$1 words=() output
        shift
        while [ "$1" != -- ]; do words+=("$1"); shift; done
        shift
        output=$(request "$@" 2>&1) && fail "accepted, and must not be: $*"
        [[ $output == *"$error"* ]] || output_lacks "$error" "$output"
        local word
        for word in "${words[@]}"; do
                grep -q -- "$word" <<<"$output" || output_lacks "$word" "$output"
        done
        printf '%s\n' "$output"
}

output_lacks() {
        fail "no \"$1\" in: $2"
}

# ask_error TARGET [KEY TYPE VALUE]...: asks for a removal that is refused; the D-Bus name of the error in $error, its
# sentence in $sentence. busctl tells the name only when it traces.
ask_error() {
        local trace
        trace=$({ SYSTEMD_LOG_LEVEL=debug request "$@" 2>&1 || true; } | sed -n 's/.* type=error .*error-name=//p')
        error=${trace%% *}
        sentence=${trace#* error-message=}
}

error_name() {
        ask_error "$@"
        printf '%s\n' "$error"
}

# resolves TARGET DEVICE: the daemon takes this name for that device.
resolves() {
        local answer
        answer=$(busctl call "$bus_name" "$bus_path" "$bus_name.Manager" ResolveTarget s "$1") || fail "$1 is not known"
        [ "$answer" = "o \"$bus_path/device/${2/./_2e}\"" ] || fail "$1 is $answer, not $2"
}

# refused_as ERROR TARGET [KEY TYPE VALUE]...: exactly this error, with one sentence, left in $sentence.
refused_as() {
        local expected=$1
        shift
        ask_error "$@"
        printf '%s: %s\n' "$error" "$sentence"
        [ "$error" = "$bus_name.Error.$expected" ] || fail "${*:0:80}: the error is ${error:-none}, not $expected"
        [ -n "$sentence" ] || fail "$expected without a sentence"
}

# ctl_refused STATUS ARGUMENT...: pmemremovectl ends with this status; what it said is in /run/out.
ctl_refused() {
        local expected=$1 code=0
        shift
        timeout 60 pmemremovectl "$@" >/run/out 2>&1 </dev/null || code=$?
        cut -c -300 /run/out
        [ "$code" -eq "$expected" ] || fail "pmemremovectl $*: exit status $code, not $expected"
}

# records REMOVAL [MESSAGE_ID]: what the journal has of it.
records() {
        journalctl -q --no-pager -o cat PMEMREMOVED_REMOVAL="${1##*/}" ${2:+MESSAGE_ID="$2"}
}

# places [PID]: the mounts of pmem in a mount namespace, without the ids that a new mount changes and the device number
# that a new bind changes.
places() {
        sed -n 's/^[0-9]* [0-9]* [0-9:]* \(.*\) - \([^ ]* [^ ]*pmem.*\)/\1 \2/p' "/proc/${1:-self}/mountinfo" |
                sed 's/ \(shared\|master\):[0-9]*/ \1/g' | sort
}

# What must be the same after an undone removal.
world() {
        places
        for link in /sys/bus/{nd,dax}/devices/*/driver; do
                [ -L "$link" ] || continue
                printf '%s %s\n' "$link" "$(readlink "$link")"
        done
        cat /proc/sys/kernel/printk
}

# n_locks: how many inhibitors are held.
n_locks() {
        busctl get-property "$bus_name" "$bus_path" "$bus_name.Manager" NCurrentInhibitors | cut -c 3-
}

# hold_lock ARGUMENT...: an inhibitor that is held when this returns, until let_go; its holder in $lock.
hold_lock() {
        local before
        before=$(n_locks)
        pmemremovectl inhibit "$@" sleep infinity </dev/null >/run/lock.log 2>&1 &
        lock=$!
        victims+=("$lock")
        wait_for "[ \$(n_locks) -gt $before ]" 20
}

# let_go [PID]
let_go() {
        kill "${1:-$lock}"
        wait "${1:-$lock}" || true
}

# listen: what the daemon announces goes to /run/signals.
listen() {
        : >/run/signals
        busctl monitor --match="type='signal',sender='$bus_name'" >>/run/signals 2>&1 &
        victims+=($!)
        wait_for 'grep -q Monitoring /run/signals' 10
}

# announced true|false: in /run/signals since it was last emptied.
announced() {
        wait_for "grep -A 12 PrepareForRemoval /run/signals | grep -q 'BOOLEAN $1'" 20
}

# --- when something dies ---

# crash LINE [ROLE...]: a killwhen that is ready when this returns.
crash() {
        /lab/killwhen "$@" </dev/null &
        killer=$!
        wait_for "grep -q inotify /proc/$killer/fdinfo/*" 10
}

# crashed: the line has come, and everybody that was to be hit has been.
crashed() {
        wait "$killer" || fail "killwhen did not hit"
}

# tell METHOD [SIGNATURE VALUE]: a method of $removal.
tell() {
        busctl --timeout=10 call "$bus_name" "$removal" "$bus_name.Removal" "$@"
}

# tell_fails ERROR METHOD [SIGNATURE VALUE]
tell_fails() {
        local error=$1 got
        shift
        got=$({ SYSTEMD_LOG_LEVEL=debug tell "$@" 2>&1 || true; } |
                sed -n 's/.*type=error .*error-name=\([^ ]*\).*/\1/p' | tail -n 1)
        [ "$got" = "$bus_name.Error.$error" ] || fail "$1 answers ${got:-success}, not $error"
}

# The daemon's loop is free whatever hangs elsewhere; most of the second is the emulated busctl's.
answers() {
        busctl --timeout=1 get-property "$bus_name" "$removal" "$bus_name.Removal" State Step >/dev/null ||
                fail "the daemon does not answer"
}

# reaches STATE
reaches() {
        wait_for "[ \"\$(property State)\" = 's \"$1\"' ]" 20
}

# result_of: of $removal, in $result; a daemon that died on the way comes back for it.
result_of() {
        wait_for 'result=$(busctl --timeout=60 call "$bus_name" "$removal" "$bus_name.Removal" Wait)' 120
        result=${result#s \"}
        result=${result%\"}
        note "the result is $result: $(property Error)"
}

is_writing() {
        local before
        before=$(stat -c %s /run/ack)
        wait_for "[ \$(stat -c %s /run/ack) -gt $before ]" 20
}

# as_before: the world is that of /run/before (made with world), and $app writes.
as_before() {
        world | diff /run/before - || fail "it is not as before"
        wait_for '! is_frozen' 20
        [ -n "${app:-}" ] || return 0
        is_alive "$app" || fail "$app is dead"
        is_writing
}

removed() {
        assert_gone namespace0.0
        must_fail is_mounted
        [ -z "${app:-}" ] || must_fail is_alive "$app"
}

# ended_well: $removal came to one of the two ends there are, and says which.
ended_well() {
        result_of
        case $result in
        done | partial) removed ;;
        failed | refused | cancelled | timed-out) as_before ;;
        *) fail "that is no end" ;;
        esac
        clean_behind
}

# The service has no process but the daemon: no worker, no guardian, no planner.
is_alone() {
        local pid main
        main=$(systemctl show -P MainPID pmemremoved)
        while read -r pid; do
                [ "$pid" = "$main" ] || return 1
        done < <(cat /sys/fs/cgroup/system.slice/pmemremoved.service/cgroup.procs 2>/dev/null)
}

# clean_behind: nothing of the daemon's own is left.
clean_behind() {
        local ledger
        wait_for is_alone 10
        if grep -F ' /run/pmemremoved/' /proc/self/mountinfo; then fail "a mount of the daemon's is left"; fi
        for ledger in /run/pmemremoved/*.ledger; do
                [ ! -e "$ledger" ] || grep -q "^finished " "$ledger" || fail "unfinished: $(cat "$ledger")"
        done
        [ "$(cat /proc/sys/kernel/printk)" = "$(tail -n 1 /run/before)" ] || fail "the console level was not restored"
}

# bring_back: the application is gone, the memory is back, the data is whole.
bring_back() {
        systemctl reset-failed pmemremoved 2>/dev/null || true
        kill -KILL "$app" 2>/dev/null || true
        wait_for '! is_alive $app' 10
        if ! is_bound namespace0.0; then bind_again namespace0.0; fi
        if ! is_mounted; then mount_pmem; fi
        /lab/pmemapp --verify --ack=/run/ack "$mnt/data"
        rm -f /run/ack
}
