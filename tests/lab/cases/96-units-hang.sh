# SPDX-License-Identifier: LGPL-2.1-or-later
# A service that does not stop: its time is over, somebody cancels, or daemon and worker die meanwhile. It runs again.
# lab: kernel=new config=two timeout=200 ci=no
# matrix: service whose ExecStop= hangs | any | undone after StopUnitTimeout=, the service runs again

mount_pmem
cat >/etc/systemd/system/hang.service <<END
[Unit]
After=pmemremoved.service
[Service]
Restart=always
TimeoutStopSec=infinity
ExecStartPre=test ! -e /run/broken
ExecStartPre=sh -c '[ ! -e /run/ack ] || /lab/pmemapp --verify --ack=/run/ack $mnt/data && rm -f /run/ack /run/ready'
ExecStart=/lab/pmemapp --ready=/run/ready --ack=/run/ack $mnt/data
ExecStop=sh -c '[ -e /run/stops ] || exec sleep infinity'
END
systemctl start hang.service
wait_for '[ -e /run/ready ]' 30
world >/run/before

# back RESULT: as before, in a new life of the service.
back() {
        result_of
        [ "$result" = "$1" ] || fail "$result, not $1"
        wait_for 'systemctl is-active hang.service' 10
        app=$(systemctl show -P MainPID hang.service)
        wait_for '[ -e /run/ready ]' 20
        as_before
        clean_behind
}

note "not within StopUnitTimeout="
conf '[Policy]' 'StopUnitTimeout=3s' 'DrainSignals=SIGTERM:300ms'
start_daemon
request namespace0.0
wait_for 'property Progress | grep "waiting for hang.service (stop)"' 10
back timed-out
property Error | grep 'hang.service (stop)'

note "cancelled meanwhile"
conf '[Policy]' 'StopUnitTimeout=1h' 'DrainSignals=SIGTERM:300ms'
systemctl reload pmemremoved
request namespace0.0
wait_for 'property Progress | grep "waiting for hang.service (stop)"' 10
tell Cancel
back cancelled

note "daemon and worker die meanwhile"
crash 'progress .*hang.service' daemon worker
request namespace0.0
crashed
back failed
systemctl reset-failed pmemremoved

note "restarted meanwhile: the manager starts it after this program, which must not wait for that"
conf '[Policy]' 'StopUnitTimeout=3s' 'DrainSignals=SIGTERM:300ms'
systemctl reload pmemremoved
request namespace0.0
wait_for 'property Progress | grep "waiting for hang.service (stop)"' 10
timeout 60 systemctl restart pmemremoved
back timed-out

note "one that cannot be started again is told"
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
systemctl reload pmemremoved
touch /run/stops
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
touch /run/broken
tell Cancel
result_of
[ "$result" = stuck ] || fail "$result"
property Error | grep 'hang.service.*systemctl status hang.service'
