# SPDX-License-Identifier: LGPL-2.1-or-later
# A login session, a user's own service and a container are no services of the machine: their processes are signalled and
# named as what they are, and nothing else of them is stopped. ProtectUnit= protects them all the same.
# lab: kernel=new config=two timeout=200
# matrix: login session, user's service, container scope | any | only its processes there are signalled

mount_pmem
echo data >"$mnt/data"
chmod 755 "$mnt"
systemctl unmask systemd-logind
systemctl start systemd-logind
useradd -m -u 1234 alice
hex=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

# Not from here: who is in a session does not get another one.
systemd-run -q --unit=login su - alice -c "
        systemd-run --user -q --unit=mine --working-directory=$mnt sleep infinity
        sleep infinity &
        cd $mnt && exec sleep infinity"
systemd-run -q --scope --slice=machine.slice --unit="libpod-$hex" sleep infinity <"$mnt/data" &
systemd-run -q --slice=machine.slice --unit=box --property=Type=exec --property="WorkingDirectory=$mnt" sleep infinity
wait_for '[ "$(fuser -m $mnt 2>/dev/null | wc -w)" -ge 4 ]' 30
fuser -vm "$mnt" || true
conf '[Policy]' 'ProtectUnit=session-*.scope'
start_daemon
refused_as Protected namespace0.0
conf '[Policy]' 'ProtectUnit=user@*.service'
systemctl reload pmemremoved
refused_as Protected namespace0.0
conf '[Policy]' 'ProtectUnit=libpod-*.scope'
systemctl reload pmemremoved
refused_as Protected namespace0.0

note "named as what they are"
conf '[Policy]' 'DrainSignals=SIGTERM:10s'
systemctl reload pmemremoved
pmemremovectl plan --json=short namespace0.0 >/run/plan
jq -c '.kills[]' /run/plan
kills() {
        jq -e --arg unit "$1" --arg why "$2" '[.kills[] | tostring | select(test($unit) and test($why))] | length == 1' /run/plan
}
kills 'session-c?[0-9]+.scope' 'session c?[0-9]+ of alice'
kills 'user@1234.service' 'services of alice'
kills "libpod-$hex.scope" 'in container podman:0123456789ab'
kills 'box.service' cwd
must_fail jq -e '.steps[] | tostring | select(test("stop-units"))' /run/plan

note "only they end"
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
systemctl is-active user@1234.service
[ "$(loginctl list-sessions --no-legend | grep -c alice)" = 1 ]
pgrep -u alice -x sleep
