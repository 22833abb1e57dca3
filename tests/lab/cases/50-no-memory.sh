# SPDX-License-Identifier: LGPL-2.1-or-later
# A machine without persistent memory: the daemon is up, idle and silent. And what does not need memory: configuration
# errors, activation, the log level, stop and start.
# lab: kernel=new config=none timeout=120

# bad TEXT KEY: names file, line 2 and the key.
bad() {
        conf '[Policy]' "$1"
        code=0
        /usr/sbin/pmemremoved --check-config >/run/out 2>&1 || code=$?
        cat /run/out
        [ "$code" -ne 0 ] || fail "accepted: $1"
        grep -q "/etc/pmemremoved.conf:2:.*$2" /run/out || fail "no file, line or key"
}

note "configuration"
/usr/sbin/pmemremoved --check-config
pmemremovectl check-config
bad 'DrainSingals=SIGTERM:1s' 'DrainSingals.*DrainSignals'
bad 'DrainTimeout=1s' 'DrainTimeout.*DrainSignals'
bad 'DrainSignals=SIGTERM:soon' DrainSignals
bad 'DrainSignals=SIGTERM:infinity' DrainSignals
bad 'Mode=gentle' Mode
bad 'ProtectUnit=postgresql' ProtectUnit
bad '[Polcy]' Polcy
ctl_refused 1 check-config
must_fail systemctl start pmemremoved
[ "$(systemctl is-active pmemremoved)" = failed ] || fail "it is started again and again"
journalctl -q -o cat -u pmemremoved | grep '/etc/pmemremoved.conf:2:.*Polcy' | head -n 1
systemctl reset-failed pmemremoved
conf '[Policy]' 'DrainSignals=SIGTERM:1s'

note "a call activates it; there is nothing"
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" ListRemovals
systemctl is-active pmemremoved
pmemremovectl list
pmemremovectl removals
pmemremovectl status
ctl_refused 3 remove -y namespace0.0
ctl_refused 3 status region0

note "idle means no wake-up"
pid=$(systemctl show -P MainPID pmemremoved)
switches() {
        awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$pid"/task/*/status
}
sleep 2
before=$(switches)
sleep 10
after=$(switches)
[ "$before" -eq "$after" ] || fail "$((after - before)) wake-ups in 10 s"
grep VmRSS "/proc/$pid/status"

note "its log level"
systemctl service-log-level pmemremoved debug
[ "$(systemctl service-log-level pmemremoved)" = debug ]
must_fail systemctl service-log-level pmemremoved loud
systemctl service-log-level pmemremoved info

note "reload, stop, start"
lines=$(journalctl -q -o cat -u pmemremoved | wc -l)
systemctl reload pmemremoved
[ "$(journalctl -q -o cat -u pmemremoved | wc -l)" -gt "$lines" ]
conf '[Policy]' 'Mode=gentle'
systemctl reload pmemremoved || true
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" Reload && fail "a bad policy was taken"
journalctl -q -o cat -u pmemremoved | grep 'old configuration.*/etc/pmemremoved.conf:2:.*Mode'
[ "$(systemctl show -P MainPID pmemremoved)" = "$pid" ] || fail "it was restarted"
conf
systemctl stop pmemremoved
must_fail systemctl is-failed pmemremoved
systemctl mask -q --runtime pmemremoved
ctl_refused 69 list
systemctl unmask -q --runtime pmemremoved
pmemremovectl list
