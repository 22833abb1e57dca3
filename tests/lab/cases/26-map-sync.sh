# SPDX-License-Identifier: LGPL-2.1-or-later
# Writers through MAP_SYNC mappings of preallocated blocks, which a bare freeze does not stop: the forced road three
# times in a row, no oops afterwards (03, 04), and nobody writes from the freeze on.
# lab: kernel=new config=two timeout=300

# When the journal says that the filesystem is frozen, in microseconds; it hears of it after the fact.
frozen_since() {
        journalctl -q -o json PMEMREMOVED_REMOVAL="${removal##*/}" PMEMREMOVED_NODE=pmem0 |
                sed -n '/freezing pmem0 is done/s/.*"_SOURCE_REALTIME_TIMESTAMP":"\([0-9]*\)".*/\1/p'
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeBudget=10min'
start_daemon
spawn_idle 200
# Who ignores SIGBUS lives until the memory itself is gone: all through the frozen window.
for how in ignore die stay; do
        note "$how"
        start_app --on-term=ignore --on-sigbus=$how --size=8 --ack=/run/ack "$mnt/data"
        world >/run/before
        request namespace0.0 mode s forced
        wait_removal done
        removed
        clean_behind
        wait_for '[ -n "$(frozen_since)" ]' 5
        late=$(($(date -r /run/ack +%s%6N) - $(frozen_since)))
        note "last write $late us after the freeze; frozen for $(property FrozenUSec)"
        [ "$late" -lt 50000 ] || fail "somebody wrote while it was frozen"
        bring_back
done
