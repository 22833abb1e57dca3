# SPDX-License-Identifier: LGPL-2.1-or-later
# The machine is gone in the middle of a removal, and is switched on again: the filesystem recovers its log and is clean,
# every acknowledged record is there, the namespace is what it was, and nothing is masked or unfinished.
# ROAD FILESYSTEM STRIDE by PMEMREMOVED_LAB_ARGS: each STRIDEth instant of that plan; "make check-data" cuts at all.
# lab: kernel=new config=two timeout=240 power-loss=yes ci=no
# matrix: power loss at each step | graceful, forced; XFS, ext4 | log recovered, checkers clean, no acknowledged record lost

phase=$1 n=$2 road=${3:-} fs=${4:-} stride=${5:-1} at=0
# On the other memory, which outlives the power too: what was acknowledged, and the units of the machine.
safe=/mnt/safe
# Road, filesystem, and at which line of the ledger: a begin and an end for each step of the plan.
sample=('forced xfs begin unbind' 'graceful ext4 begin unmount' 'forced xfs end freeze')

choose() {
        if [ -n "$road" ]; then
                at=$(((n - 1) * stride))
                when=begin
                [ $((at % 2)) = 0 ] || when=end
                op=''
        elif [ "$n" -le ${#sample[@]} ]; then
                read -r road fs when op <<<"${sample[n - 1]}"
        else
                exit 0
        fi
}

set_the_stage() {
        make_small ext4 /dev/pmem1
        mount_pmem /dev/pmem1 "$safe"
        cp -a /etc/systemd/system "$safe/units"
        mount --bind "$safe/units" /etc/systemd/system
        make_small "$fs" /dev/pmem0
        echo "/dev/pmem0 $mnt $fs noauto,dax=always 0 0" >>/etc/fstab
        systemctl daemon-reload
        mount_pmem
        conf '[Policy]' 'DrainSignals=SIGTERM:300ms' 'FreezeBudget=10min'
        start_daemon
}

start_writers() {
        local stay=ignore
        [ "$road" = forced ] || stay="exit"
        start_app --on-term=$stay --size=1 --by-write --ack="$safe/ack.written" --ack-last "$mnt/written"
        start_app --on-term=$stay --size=1 --ack="$safe/ack.mapped" --ack-last "$mnt/mapped"
}

# The line of the ledger by which the instant is known.
line_at() {
        local steps step=$((at / 2 + 1))
        pmemremovectl plan --json=short --mode="$road" namespace0.0 >/run/plan
        steps=$(jq '.steps | length' /run/plan)
        [ "$step" -le "$steps" ] || exit 0
        if [ -n "$op" ]; then
                step=$(jq --arg op "$op" '[.steps[].step] | index($op) + 1' /run/plan)
        else
                op=$(jq -r ".steps[$((step - 1))].step" /run/plan)
        fi
        case $when in
        begin) line="begin $step " delay=$((n * 7919 % 4000)) ;;
        end) line="end $step\$" delay=0 ;;
        esac
        printf '%s %s, power off at the %s of step %d of %d (%s)\n' "$road" "$fs" "$when" "$step" "$steps" "$op"
}

until_the_cut() {
        choose
        set_the_stage
        start_writers
        line_at
        find "$safe/units" | sort >"$safe/units.before"
        echo "$fs" >"$safe/filesystem"
        sync -f "$safe"
        # A begin says that the step will be applied, so a little later it is being applied.
        crash --power="$delay" "$line"
        request namespace0.0 mode s "$road"
        wait "$killer" || true
        sleep 20
        fail "the machine is still there"
}

# The labels are read anew, as at a boot: the snapshot knows what they were before.
switch_on() {
        ndctl disable-region all
        ndctl enable-region all
        wait_for '[ -b /dev/pmem0 ] && [ -b /dev/pmem1 ]' 20
        udevadm settle
        [ "$(ndctl list -n namespace0.0 | jq -r '.[0].mode')" = fsdax ] || fail "$(ndctl list -N)"
        mount_pmem /dev/pmem1 "$safe"
        fs=$(cat "$safe/filesystem")
}

afterwards() {
        local name
        switch_on
        find "$safe/units" | sort | diff "$safe/units.before" -
        mount_pmem
        for name in written mapped; do
                /lab/pmemapp --verify --ack="$safe/ack.$name" "$mnt/$name"
        done
        umount "$mnt"
        check_small "$fs" /dev/pmem0
        mount_pmem
        start_daemon
        if compgen -G '/run/pmemremoved/*.ledger'; then fail "a ledger"; fi
        pmemremovectl plan namespace0.0 >/dev/null
}

case $phase in
cut) until_the_cut ;;
after) afterwards ;;
esac
