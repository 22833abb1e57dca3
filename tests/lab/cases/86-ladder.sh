# SPDX-License-Identifier: LGPL-2.1-or-later
# The ladder of signals: who leaves at which rung, who lets go and lives, who comes meanwhile, who is frozen.
# lab: kernel=new config=two timeout=150
# matrix: fsdax, users leave at SIGTERM, SIGINT, SIGKILL | graceful | removed; who lets go without exiting lives
# matrix: fsdax, a user lets go at SIGTERM, another one stays | forced | removed; only who stayed is killed

# holder NAME SHELL-CODE: a shell of that name that holds a file, its pid in $pid. A background job of a script begins with
# SIGINT ignored.
holder() {
        ln -sf /bin/bash "/run/$1"
        rm -f "/run/$1.ready"
        env --default-signal "/run/$1" -c "exec 9>$mnt/$1; $2; touch /run/$1.ready
                sleep 600 9>&- & while :; do wait; done" </dev/null >/dev/null 2>&1 &
        pid=$!
        wait_for "[ -e /run/$1.ready ]" 10
}

ledger() {
        grep -E "$1" "/run/pmemremoved/${removal##*/}.ledger"
}

# in_order REGEX...: the journal has these lines, each after the one before.
in_order() {
        local all line
        all=$(records "$removal")
        for line; do
                grep -qE -- "$line" <<<"$all" || fail "no \"$line\", or too early, in: $(records "$removal")"
                all=$(sed -E "0,/${line//\//\\/}/d" <<<"$all")
        done
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:4s SIGINT:2s SIGKILL:1h'
start_daemon
pmemremovectl monitor >/run/monitor 2>&1 &
holder polite :
polite=$pid
holder stubborn "trap '' TERM"
stubborn=$pid
holder deaf "trap '' TERM INT"
deaf=$pid
holder gentle "trap 'exec 9>&-' TERM"
gentle=$pid

note "three rungs, and somebody who comes between"
request namespace0.0
wait_for "ledger '^left $polite '" 20
holder late :
late=$pid
awaited=$(property Awaited)
wait_removal done
assert_gone namespace0.0
for pid in "$polite" "$stubborn" "$deaf" "$late"; do must_fail is_alive "$pid"; done
is_alive "$gentle"
[[ $awaited == *" $deaf \"deaf\" "*'"fd"'* ]] || fail "who stays is not awaited: $awaited"
[[ $awaited != *" $polite "* ]] || fail "who has left is still awaited: $awaited"
in_order "process $polite \(polite\) was sent SIGTERM" "process $polite \(polite\) left after SIGTERM" \
        "process $late \(late\) has come since the plan" "process $stubborn \(stubborn\) was sent SIGINT" \
        "process $stubborn \(stubborn\) left after SIGINT" "process $deaf \(deaf.*\) was killed"
records "$removal" | grep "$late (late) left after SIGINT"
records "$removal" | grep "$gentle (gentle) has let go"
[ "$(ledger "^signalled $gentle " | wc -l)" = 1 ]
[ "$(ledger "^signalled $late " | wc -l)" = 1 ]
[ "$(property Awaited)" = 'a(usss) 0' ]
[ "$(property Killed | cut -d' ' -f 1-3)" = "a(usss) 1 $deaf" ]
[ "$(records "$removal" 77e08d1a95a148ca8d95d6e591fa00a4 | wc -l)" = 1 ]
wait_for 'grep -q process-killed /run/monitor' 5
[ "$(grep process-killed /run/monitor | grep -c "pid=$deaf")" = 1 ]
[ "$(grep -c process-killed /run/monitor)" = 1 ]
kill -KILL "$gentle"

note "a frozen cgroup: nothing that it would obey at its thaw"
conf '[Policy]' 'DrainSignals=SIGTERM:1h' Mode=graceful
systemctl reload pmemremoved
bind_again namespace0.0
mount_pmem
holder iced :
iced=$pid
mkdir /sys/fs/cgroup/iced
echo "$iced" >/sys/fs/cgroup/iced/cgroup.procs
echo 1 >/sys/fs/cgroup/iced/cgroup.freeze
wait_for 'grep -q "frozen 1" /sys/fs/cgroup/iced/cgroup.events' 5
request namespace0.0
wait_removal refused
records "$removal" | grep "process $iced (iced) was not sent SIGTERM"
echo 0 >/sys/fs/cgroup/iced/cgroup.freeze
wait_for 'grep -q "frozen 0" /sys/fs/cgroup/iced/cgroup.events' 5
sleep 0.5
is_alive "$iced"

note "the forced road: who let go lives, whoever stayed does not"
conf '[Policy]' 'DrainSignals=SIGTERM:2s' Mode=forced FreezeBudget=10min
systemctl reload pmemremoved
kill -KILL "$iced"
holder gentle "trap 'exec 9>&-' TERM"
gentle=$pid
start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
request namespace0.0
wait_removal done
assert_gone namespace0.0
is_alive "$gentle"
must_fail is_alive "$app"
[ "$(property Killed | cut -d' ' -f 1-3)" = "a(usss) 1 $app" ]
