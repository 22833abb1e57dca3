# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGKILL inside a long unbind, and while the killed are waited for: it only goes forward and ends removed.
# lab: kernel=new config=two timeout=300

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeBudget=10min'
start_daemon
# Each page that was mapped costs the kernel one look at each process: this is what makes the unbind long.
spawn_idle 200

while IFS=: read -r when who; do
        note "$who, at $when"
        start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
        world >/run/before
        # shellcheck disable=SC2086 # several roles
        crash "$when" $who
        request namespace0.0 mode s forced
        crashed
        result_of
        [[ $result == done || $result == partial ]] || fail "past the commit point, and $result"
        removed
        property Killed | grep -q "$app" || fail "who was killed is not told"
        clean_behind
        bring_back
done <<'END'
kernel :daemon
kernel :worker
kernel :guardian worker daemon
begin.*step=settle:worker daemon
END
