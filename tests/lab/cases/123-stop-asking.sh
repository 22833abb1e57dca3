# SPDX-License-Identifier: LGPL-2.1-or-later
# The service is stopped, restarted, killed while polkit waits for a password that nobody types: it ends at once, whoever
# has asked is told so, nothing begins afterwards, and the next daemon asks anew.
# lab: kernel=new config=two timeout=240 ci=no
# matrix: stopped while a person is asked for a password | any | over at once, the caller is told, nothing begins

mount_pmem
start_app --ack=/run/ack "$mnt/data"
world >/run/before
start_daemon
systemctl start polkit

# An agent at a terminal of its own, for the process $1 of somebody; it has registered when this returns.
start_agent() {
        rm -f /run/registered
        mkfifo /run/registered
        : >/run/agent
        script -qfc "exec setpriv --reuid=65534 --regid=65534 --clear-groups \
                pkttyagent --process $1 --notify-fd 9 9>/run/registered" /run/agent </dev/null >/dev/null 2>&1 &
        agent=$!
        victims+=("$agent")
        timeout 20 cat /run/registered
}

# asked COMMAND...: somebody runs it, in the background, and is asked for a password.
asked() {
        # shellcheck disable=SC2016 # its own number
        setpriv --reuid=65534 --regid=65534 --clear-groups \
                bash -c 'kill -STOP $$; exec "$@"' x "$@" >/run/said 2>&1 </dev/null &
        caller=$!
        victims+=("$caller")
        wait_for '[ "$(state_of $caller)" = T ]' 10
        start_agent "$caller"
        kill -CONT "$caller"
        wait_for 'grep -q Password: /run/agent' 30
        is_alive "$caller" || fail "it was not asked: $(cat /run/said)"
}

# told WORD...: who has asked has an answer, and it is no yes.
told() {
        local code=0 word
        timeout 20 tail --pid="$caller" -f /dev/null || fail "who has asked still waits"
        wait "$caller" || code=$?
        sed 's/^/it was told: /' /run/said
        [ "$code" != 0 ] || fail "it was told yes"
        for word; do
                grep -q -- "$word" /run/said || fail "not said: $word"
        done
}

# The agent reads the terminal and hears nothing meanwhile, not even that its question is over (pkttyagent 122).
leave_terminal() {
        kill "$agent" 2>/dev/null || true
}

# quickly COMMAND...
quickly() {
        local since=${EPOCHREALTIME/./}
        timeout 20 "$@" || fail "$* takes too long"
        echo "$*: $(((${EPOCHREALTIME/./} - since) / 1000)) ms"
}

nothing_began() {
        if compgen -G '/run/pmemremoved/*.ledger'; then fail "a removal has begun"; fi
        as_before
        clean_behind
}

note "stopped"
asked pmemremovectl remove -y namespace0.0
quickly systemctl stop pmemremoved
[ "$(systemctl show -P Result pmemremoved)" = success ]
[ ! -e /sys/fs/cgroup/system.slice/pmemremoved.service/cgroup.procs ] || fail "somebody of it lives"
told 'namespace0.0' 'daemon is stopping'
leave_terminal
nothing_began

note "restarted"
systemctl start pmemremoved
asked pmemremovectl remove -y namespace0.0
quickly systemctl restart pmemremoved
told 'daemon is stopping'
leave_terminal
nothing_began

note "killed: the bus tells who has asked"
asked pmemremovectl remove -y namespace0.0
systemctl kill -s KILL --kill-whom=main pmemremoved
told 'did not answer'
leave_terminal
wait_for '[ "$(systemctl show -P ActiveState pmemremoved)" = active ]' 30
nothing_began

note "another question than for a removal"
asked busctl --timeout=100 call "$bus_name" "$bus_path" "$bus_name.Manager" Reload
quickly systemctl stop pmemremoved
told 'daemon is stopping'
leave_terminal

note "who has asked leaves, and then it is stopped"
systemctl start pmemremoved
asked pmemremovectl remove -y namespace0.0
kill -KILL "$caller"
leave_terminal
quickly systemctl stop pmemremoved
nothing_began
