# SPDX-License-Identifier: LGPL-2.1-or-later
# logind's locks: one that delays while a removal is under way, one that blocks while something is down, none before and
# after. A sleep that is announced cancels what can be undone, and comes when it is undone.
# lab: kernel=new config=two timeout=150 ci=no
# matrix: shutdown or sleep is asked for | any | undone first; refused while frozen

# locks: the modes of those that the daemon holds.
locks() {
        busctl --json=short call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager \
                ListInhibitors | jq -r '[.data[0][] | select(.[1] == "pmemremoved" and .[0] == "shutdown:sleep") | .[3]] | sort | join(" ")'
}

has_locks() {
        wait_for "[ \"\$(locks)\" = '$1' ]" 20
}

# The machine's sleep is a program that looks how things are at that instant.
mkdir -p /run/systemd/system/systemd-suspend.service.d
cat >/run/systemd/system/systemd-suspend.service.d/lab.conf <<'END'
[Service]
ExecStart=
ExecStart=/bin/sh -c 'cat /run/pmemremoved/*.ledger >/run/asleep'
END

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:1h' 'FreezeTimeout=20s'
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
world >/run/before
start_daemon

note "without logind"
request namespace0.0 mode s forced
reaches draining
tell Cancel
wait_removal cancelled
as_before
journalctl -q -o cat -u pmemremoved | grep 'logind does not run'

note "with it: delayed while it drains, also by another logind"
systemctl unmask systemd-logind
systemctl start systemd-logind
[ -z "$(locks)" ]
request namespace0.0 mode s forced
reaches draining
has_locks delay
systemctl restart systemd-logind
has_locks delay
systemctl stop systemd-logind
rm -rf /run/systemd/inhibit
systemctl start systemd-logind
has_locks delay

note "a sleep that is announced: undone first"
busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager SuspendWithFlags t 0
wait_for '[ -s /run/asleep ]' 20
tail -n 1 /run/asleep | grep -E '^(finished|reported)' || fail "it slept before that was undone: $(cat /run/asleep)"
wait_removal cancelled
records "$removal" | grep 'the machine goes to sleep'
as_before
has_locks ''
rm /run/asleep

note "awake again: the next one may begin, and blocks while it is frozen"
wait_for 'request namespace0.0 mode s forced' 20
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeTimeout=10s'
tell Cancel
wait_removal cancelled
systemctl reload pmemremoved
crash --stop 'frozen ' worker
request namespace0.0 mode s forced
crashed
has_locks 'block delay'
systemctl --check-inhibitors=yes suspend 2>&1 | tee /run/refused || true
grep -E 'inhibited by "?pmemremoved' /run/refused
[ ! -e /run/asleep ]
kill -CONT "$(pgrep -of '^pmemremoved --run')"
ended_well
has_locks ''

note "the lock dies with the daemon"
bring_back
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
world >/run/before
conf '[Policy]' 'DrainSignals=SIGTERM:1h'
systemctl reload pmemremoved
request namespace0.0 mode s forced
reaches draining
has_locks delay
kill -KILL "$(systemctl show -P MainPID pmemremoved)"
ended_well
has_locks ''
bring_back
