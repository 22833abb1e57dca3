# SPDX-License-Identifier: LGPL-2.1-or-later
# "systemctl poweroff", to the end: nobody removes anything, while processes are asked to leave, while it is frozen, past
# the commit point. The machine is off soon, what can be undone was, what cannot was completed, and after it is switched
# on again the filesystem is clean, and every acknowledged record there.
# lab: kernel=new config=two timeout=180 power-loss=yes ci=no
# matrix: the machine is switched off properly in any state | forced | off at once; undone before, or completed

phase=$1 n=$2
shift 2
safe=/mnt/safe
states=("$@")
[ $# -gt 0 ] || states=(idle draining frozen committed)
# Emulated: most of it is systemd's, which ends everything else.
bound=60

# The last program before the power goes: what is in /run is lost with it.
remember_ledgers() {
        mkdir -p /usr/lib/systemd/system-shutdown
        cat >/usr/lib/systemd/system-shutdown/lab <<'END_OF_PROGRAM'
#!/bin/sh
mkdir -p /run/safe
mount /dev/pmem1 /run/safe || exit
cp /run/pmemremoved/*.ledger /run/safe/
grep pmem /proc/self/mountinfo >/run/safe/mounts
ls -l /sys/bus/nd/drivers/nd_pmem >/run/safe/bound
for p in /proc/[0-9]*; do
        read -r name <"$p/comm" && case $name in pmemremoved | pmr-*) echo "$name" ;; esac
done >/run/safe/left
umount /run/safe
END_OF_PROGRAM
        chmod 755 /usr/lib/systemd/system-shutdown/lab
}

# Whoever ignores SIGTERM in the session would cost 90 s, and be no concern of ours.
shorten_the_session() {
        mkdir -p /run/systemd/system/session-1.scope.d
        printf '[Scope]\nTimeoutStopSec=5s\n' >/run/systemd/system/session-1.scope.d/lab.conf
        systemctl unmask systemd-logind
        systemctl daemon-reload
        systemctl start systemd-logind
}

set_the_stage() {
        shorten_the_session
        make_small ext4 /dev/pmem1
        mount_pmem /dev/pmem1 "$safe"
        remember_ledgers
        make_small xfs /dev/pmem0
        mount_pmem
        start_app --on-term=ignore --size=1 --by-write --ack="$safe/ack.written" --ack-last "$mnt/written"
        start_app --on-term=ignore --size=8 --ack="$safe/ack.mapped" --ack-last "$mnt/mapped"
}

begin() {
        conf '[Policy]' "DrainSignals=SIGTERM:$1" 'FreezeBudget=10min' 'FreezeTimeout=20s' 'UnbindTimeout=1min'
        start_daemon
}

# A worker that is stopped goes on a little after the shutdown has begun; who lets it is not stopped by the shutdown.
held_at() {
        begin 100ms
        crash --stop "$1" worker
        request namespace0.0 mode s forced
        crashed
        cat >/run/resume <<END_OF_PROGRAM
until systemctl is-active pmemremoved | grep -q deactivating; do sleep 0.1; done
sleep 1
kill -CONT $(pgrep -of '^pmemremoved --run')
END_OF_PROGRAM
        systemd-run -q --unit=lab-resume -p DefaultDependencies=no sh /run/resume
}

into() {
        case $1 in
        idle) begin 1h ;;
        draining)
                begin 1h
                request namespace0.0 mode s forced
                reaches draining
                ;;
        frozen) held_at 'frozen ' ;;
        committed) held_at 'committed' ;;
        esac
}

switch_off() {
        [ "$n" -le ${#states[@]} ] || exit 0
        note "${states[n - 1]}"
        set_the_stage
        into "${states[n - 1]}"
        echo "${states[n - 1]}" >"$safe/state"
        sync -f "$safe"
        echo "$EPOCHSECONDS" >"$safe/since"
        sync "$safe/since"
        systemctl poweroff
        sleep 1000
}

# The labels are read anew, as at a boot: the snapshot knows what they were before.
switch_on() {
        ndctl disable-region all
        ndctl enable-region all
        wait_for '[ -b /dev/pmem0 ] && [ -b /dev/pmem1 ]' 20
        udevadm settle
        mount_pmem /dev/pmem1 "$safe"
}

# ended PATTERN: how the only removal did.
ended() {
        tail -n 3 "$safe/1.ledger" | cut -c -300
        grep -qE "^finished $1" "$safe/1.ledger" || fail "not as it should: $(tail -n 5 "$safe/1.ledger")"
}

afterwards() {
        local name took
        switch_on
        state=$(cat "$safe/state") took=$((EPOCHSECONDS - $(cat "$safe/since")))
        note "$state: off and on again after $took s"
        [ "$took" -lt "$bound" ] || fail "that took too long"
        [ -e "$safe/left" ] || fail "the last program was not run"
        [ ! -s "$safe/left" ] || fail "still there at the end: $(cat "$safe/left")"
        if grep -v /run/safe "$safe/mounts"; then fail "still mounted at the end"; fi
        case $state in
        idle) must_fail compgen -G "$safe/*.ledger" ;;
        draining | frozen) ended '.*state=rolled-back' ;;
        committed) ended '.*result=(done|partial)' ;;
        esac
        mount_pmem
        for name in written mapped; do
                /lab/pmemapp --verify --ack="$safe/ack.$name" "$mnt/$name"
        done
        umount "$mnt"
        check_small xfs /dev/pmem0
        rm -f "$safe"/*.ledger
}

case $phase in
cut) switch_off ;;
after) afterwards ;;
esac
