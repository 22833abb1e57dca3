# SPDX-License-Identifier: LGPL-2.1-or-later
# Everybody at once: a service with Restart=always, a socket-activated one, a container and a shell in a login session that
# ignores SIGTERM, as interactive shells do. What becomes of each of them when the removal is vetoed, takes too long, is
# cancelled, loses its daemon, and succeeds.
# lab: kernel=new config=two timeout=200
# matrix: service, socket, container and session at once | graceful | veto, time-out, cancel, crash: services run again; done

services=(keep.service act.service act.socket)
hex=fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210

mount_pmem
echo data >"$mnt/data"
chmod 755 "$mnt"
systemctl unmask systemd-logind
systemctl start systemd-logind
useradd -m alice
cat >/etc/systemd/system/keep.service <<END
[Service]
Restart=always
RestartSec=0
ExecStart=sh -c 'exec sleep infinity <$mnt/data'
END
cat >/etc/systemd/system/act.socket <<END
[Socket]
ListenFIFO=/run/act.fifo
END
cat >/etc/systemd/system/act.service <<END
[Service]
Type=exec
WorkingDirectory=$mnt
ExecStart=sleep infinity
END
# The shell says where it is once SIGTERM cannot surprise it any more.
cat >/home/alice/shell <<END
trap '' TERM
exec 9<>never
cd $mnt && echo \$\$ >/tmp/shell && read -r _ <&9
END
mkfifo -m 666 /home/alice/never

container() {
        systemd-run -q --scope --slice=machine.slice --unit="libpod-$hex" sleep infinity <"$mnt/data" &
        wait_for 'systemctl is-active "libpod-$hex.scope"' 10
}

login() {
        systemd-run -q --unit=login su - alice -c "exec bash /home/alice/shell"
        wait_for '[ -s /tmp/shell ]' 20
        shell=$(cat /tmp/shell)
}

# are STATE: all of the services.
are() {
        [ "$(systemctl show -P ActiveState "${services[@]}" | sed '/^$/d' | sort -u)" = "$1" ]
}

# main UNIT: the process of its present life.
main() {
        systemctl show -P MainPID "$1"
}

# back: who can be called back is back, in a new life; who was only asked and ignored it has not noticed.
back() {
        result_of
        [ "$result" = "$1" ] || fail "$result, not $1"
        wait_for 'are active' 20
        [ "$(main keep.service)" != "$old" ] || fail "keep.service was not stopped"
        is_alive "$shell" || fail "the shell is gone"
        must_fail systemctl is-active "libpod-$hex.scope"
        as_before
        clean_behind
}

# drain [OPTION...]: a removal that has stopped the services and waits for the shell.
drain() {
        old=$(main keep.service)
        request namespace0.0 mode s graceful "$@"
        wait_for 'property Awaited | grep -w "$shell"' 30
}

systemctl daemon-reload
systemctl start act.socket keep.service
echo wake >/run/act.fifo
wait_for 'systemctl is-active act.service' 10
container
login
conf '[Policy]' 'DrainSignals=SIGTERM:1h'
start_daemon
world >/run/before

note "vetoed: nobody notices"
old=$(main keep.service)
hold_lock --why="the books are open"
refused_as Inhibited namespace0.0
[[ $sentence == *'the books are open'* ]]
let_go
[ "$(main keep.service)" = "$old" ]
systemctl is-active "${services[@]}" "libpod-$hex.scope"
is_alive "$shell"

note "it takes too long"
drain timeout-usec t 10000000
back timed-out

note "somebody cancels"
container
drain
tell Cancel
back cancelled

note "the daemon dies"
container
drain
kill -KILL "$(systemctl show -P MainPID pmemremoved)"
back cancelled

note "done: the shell leaves at its hang-up, as shells do; nothing brings the services back"
container
conf '[Policy]' 'DrainSignals=SIGTERM:1s SIGHUP:20s'
systemctl reload pmemremoved
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
must_fail is_alive "$shell"
[ "$(property Killed)" = 'a(usss) 0' ]
are inactive
bind_again namespace0.0
mount_pmem
[ "$(cat "$mnt/data")" = data ]
