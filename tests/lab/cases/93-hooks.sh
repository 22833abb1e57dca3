# SPDX-License-Identifier: LGPL-2.1-or-later
# Hooks of the site: all verbs in order and outside of the daemon's sandbox, a veto with its reason, undo after a failure
# and after a cancel.
# lab: kernel=new config=two timeout=150
# matrix: hook says no | any | vetoed with its last line, nobody is disturbed
# matrix: hook fails to prepare | any | undone, its undo runs
# matrix: hooks query, prepare, done | any | each once, told at the end

folder=/etc/pmemremoved/hooks.d
mkdir -p /run/hooks "$folder" /usr/lib/pmemremoved/hooks.d

# hook NAME: its script on stdin; what it is called with is in /run/hooks/said.
hook() {
        { printf '#!/bin/bash\necho "%s:$1" >>/run/hooks/said\n' "$1"; cat; } >"$folder/$1"
        chmod 755 "$folder/$1"
}

# said WORD...: what was said since.
said() {
        [ "$(xargs </run/hooks/said)" = "$*" ] || fail "the hooks said $(xargs </run/hooks/said), not $*"
        : >/run/hooks/said
}

# refused_by PATTERN: a removal ends with this sentence, and everything is as it was.
refused_by() {
        must_fail pmemremovectl remove namespace0.0 >/run/out 2>&1
        grep -q "$1" /run/out || fail "$(cat /run/out)"
        world | diff /run/before -
        no_hook_runs
}

no_hook_runs() {
        [ -z "$(systemctl list-units --all --no-legend 'pmemremoved-hook-*')" ] ||
                fail "$(systemctl list-units --all --no-legend 'pmemremoved-hook-*')"
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:300ms' 'HookTimeout=60s' 'FreezeBudget=10min'
: >/run/hooks/said
start_daemon
world >/run/before

note "a veto names everybody who is against it"
hook 10-first <<'END'
[ "$1" != query ] || { echo "10 is talking"; echo "the moon is full"; exit 3; }
END
hook 20-second <<'END'
[ "$1" != query ] || { echo "so it is" >&2; exit 3; }
END
must_fail pmemremovectl remove namespace0.0 --reason=moon >/run/out 2>&1
cat /run/out
grep -q 'the moon is full' /run/out
grep -q 'so it is' /run/out
said 10-first:query 20-second:query
world | diff /run/before -
no_hook_runs

note "one that is ended by a signal has not said yes"
hook 20-second <<'END'
exit 0
END
hook 10-first <<'END'
[ "$1" != query ] || kill -TERM $$
END
refused_by '10-first.*killed by signal 15'
hook 10-first <<'END'
[ "$1" != query ] || { : >/run/hooks/runs; exec sleep 1234; }
END
(
        wait_for '[ -e /run/hooks/runs ]' 20
        systemctl stop 'pmemremoved-hook-*-query-10-first.service'
) &
refused_by '10-first.*signal'
wait $!
hook 10-first <<'END'
[ "$1" != prepare ] || kill -HUP $$
END
refused_by '10-first.*prepare.*killed by signal 1,'

note "nor has one whose shell was ended before it could say a word"
mkdir -p /run/systemd/system/pmemremoved-hook-.service.d
printf '[Service]\nExecStart=\nExecStart=/bin/sh -c "kill -TERM $$$$"\n' \
        >/run/systemd/system/pmemremoved-hook-.service.d/short.conf
refused_by '10-first.*ended before it could be run'
rm -r /run/systemd/system/pmemremoved-hook-.service.d
: >/run/hooks/said
hook 10-first <<'END'
[ "$1" != query ] || { echo "the moon is full"; exit 3; }
END

note "a dry run names them and runs none"
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" PlanRemove 'sa{sv}' namespace0.0 0 >/run/out
grep -q 'op=query path=/etc/pmemremoved/hooks.d/10-first' /run/out
said

note "one that others may write refuses"
chmod 777 "$folder/20-second"
refused_as InvalidConfig namespace0.0
[[ $sentence == *"chmod go-w $folder/20-second"* ]]
ln -sf /dev/null "$folder/20-second"

note "prepare fails: what was begun is undone"
hook 10-first <<'END'
exit 2
END
hook 30-third <<'END'
[ "$1" != prepare ] || { echo "cannot today"; exit 1; }
[ "$1" != undo ] || mountpoint -q /mnt/pmem || echo "30-third:but-not-mounted" >>/run/hooks/said
END
request namespace0.0
wait_removal failed
property Error | grep -q 'status 1; it said: cannot today'
said 10-first:query 30-third:query 10-first:prepare 30-third:prepare 30-third:undo 10-first:undo
world | diff /run/before -
rm "$folder/30-third"

note "cancel while it waits: undo comes when everything is back"
hook 10-first <<'END'
[ "$1" != undo ] || mountpoint -q /mnt/pmem || echo "10-first:but-not-mounted" >>/run/hooks/said
END
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
must_fail is_mounted
tell Cancel
wait_removal cancelled
said 10-first:query 10-first:prepare 10-first:undo
world | diff /run/before -

note "cancel while it runs: it is ended, with what it started"
hook 10-first <<'END'
[ "$1" != prepare ] || { setsid sleep 1234 & trap 'echo 10-first:ending >>/run/hooks/said; exit 1' TERM; wait; }
END
request namespace0.0
wait_for 'pgrep -f "^sleep 1234"' 20
tell Cancel
wait_removal cancelled
said 10-first:query 10-first:prepare 10-first:ending 10-first:undo
must_fail pgrep -f '^sleep 1234'
no_hook_runs
world | diff /run/before -

note "what it knows, and that it may do what root may; done comes after the forced road, too"
hook 10-first <<'END'
case $1 in
done)
        cat >/run/hooks/plan
        env | grep '^PMEMREMOVED_' | sort >/run/hooks/env
        pwd
        exec 3<>/dev/udp/127.0.0.1/9
        echo network >&3
        grep '^\(CapEff\|NoNewPrivs\|Seccomp\):' /proc/self/status
        cat /proc/self/cgroup
        ;;
query) is_there=$(cat /sys/block/pmem0/size) && echo "it has $is_there sectors" ;;
esac
END
start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
request namespace0.0 mode s forced reason s "a blank and a \"quote\"" transaction-id s ticket-7
wait_removal done
removed
said 10-first:query 10-first:prepare 10-first:done
id=${removal##*/}
diff - /run/hooks/env <<END
PMEMREMOVED_DEVICES=namespace0.0
PMEMREMOVED_MOUNTS=$mnt
PMEMREMOVED_REASON=a blank and a "quote"
PMEMREMOVED_REMOVAL=$id
PMEMREMOVED_ROAD=forced
PMEMREMOVED_TARGET=namespace0.0
PMEMREMOVED_TRANSACTION=ticket-7
END
jq -e '.target.name == "namespace0.0" and .target.mode == "forced" and .roads[0].name == "forced" and
        (.steps | map(.op) | index("freeze")) and (.steps[] | select(.op == "done") | .name) == "10-first"' /run/hooks/plan
records "$removal" >/run/out
grep -q 'hook 10-first (query): it has [0-9]* sectors' /run/out
grep -q 'hook 10-first (done): /$' /run/out
grep -q 'hook 10-first (done): NoNewPrivs:.*0$' /run/out
grep -q 'hook 10-first (done): Seccomp:.*0$' /run/out
grep -q "hook 10-first (done): 0::/system.slice/pmemremoved-hook-$id-done-10-first.service" /run/out
no_hook_runs
clean_behind
