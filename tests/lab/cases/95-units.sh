# SPDX-License-Identifier: LGPL-2.1-or-later
# Services are stopped by their manager: ExecStop= runs, Restart= does not bring them back, neither do a socket and a timer,
# and what requires one goes with it. Undone, everything that was active is active again in its order, and has its data.
# lab: kernel=new config=two timeout=200
# matrix: service with Restart=always, socket, timer | any | stopped by its manager; started again on rollback

unit() {
        local name=$1
        shift
        printf '%s\n' "$@" >"/etc/systemd/system/$name"
}

up() {
        [ "$(systemctl show -P ActiveState "$@" | sed '/^$/d' | sort -u)" = active ]
}

down() {
        [ "$(systemctl show -P ActiveState "$@" | sed '/^$/d' | sort -u)" = inactive ]
}

all=(db.service app.service act.service act.socket tick.service tick.timer)

echo "/dev/pmem0 $mnt xfs dax=always,noauto 0 0" >>/etc/fstab
unit db.service '[Unit]' Requires=mnt-pmem.mount After=mnt-pmem.mount '[Service]' Restart=always RestartSec=0 \
        "ExecStartPre=sh -c 'mountpoint -q $mnt && echo db starts >>/run/order && rm -f /run/ready'" \
        "ExecStartPre=sh -c '[ ! -e /run/ack ] || /lab/pmemapp --verify --ack=/run/ack $mnt/data && rm -f /run/ack'" \
        "ExecStart=/lab/pmemapp --ready=/run/ready --ack=/run/ack $mnt/data" \
        "ExecStop=sh -c 'echo db stops >>/run/order; kill \$MAINPID; while [ -e /proc/\$MAINPID ]; do sleep 0.1; done'"
unit app.service '[Unit]' Requires=db.service After=db.service '[Service]' \
        "ExecStart=sh -c 'echo app starts >>/run/order; exec sleep infinity'" \
        "ExecStop=sh -c 'echo app stops >>/run/order'"
unit act.socket '[Socket]' ListenFIFO=/run/act.fifo
unit act.service '[Service]' Type=exec "ExecStart=sh -c 'exec sleep infinity 9<$mnt/other'"
unit tick.timer '[Timer]' OnActiveSec=100ms OnUnitInactiveSec=100ms AccuracySec=10ms
unit tick.service '[Service]' Type=exec "ExecStart=sh -c 'cd $mnt; exec sleep infinity'"

systemctl daemon-reload
mkdir -p "$mnt"
systemctl start mnt-pmem.mount
echo other >"$mnt/other"
systemctl start app.service act.socket tick.timer
echo wake >/run/act.fifo
wait_for '[ -e /run/ready ]' 30
wait_for 'up "${all[@]}"' 20
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
world >/run/before

note "the plan names them, and what would be stopped with them"
pmemremovectl plan namespace0.0 >/run/plan
grep -E 'stop-units .*(act|tick|db|app).service' /run/plan
grep 'db.service: stopped by its manager, and with it: app.service' /run/plan
grep 'stopped with its unit' /run/plan

note "stopped, not killed, and nothing brings them back"
main=$(systemctl show -P MainPID db.service)
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
sleep 1
down "${all[@]}" || fail "$(systemctl list-units --no-pager "${all[@]}")"
[ "$(property Killed)" = 'a(usss) 0' ]
[ "$(systemctl show -P ExecMainStatus db.service)/$(systemctl show -P NRestarts db.service)" = 0/0 ]
if records "$removal" | grep "$main .*was sent"; then fail "the service was signalled"; fi
printf '%s\n' 'db starts' 'app starts' 'app stops' 'db stops' | diff - /run/order

note "undone: all of them run again, in their order, with their data"
tell Cancel
result_of
[ "$result" = cancelled ]
wait_for 'up "${all[@]}" && [ -e /run/ready ]' 20
[ "$(tail -n 2 /run/order)" = $'db starts\napp starts' ] || fail "$(cat /run/order)"
app=$(systemctl show -P MainPID db.service)
as_before
clean_behind

note "done: they stay stopped, and the journal says so"
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
sleep 1
down "${all[@]}" mnt-pmem.mount
records "$removal" | grep 'stopped and left so: .*db.service'
clean_behind
bring_back
