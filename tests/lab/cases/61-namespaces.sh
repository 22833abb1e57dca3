# SPDX-License-Identifier: LGPL-2.1-or-later
# Mount namespaces without processes, one kept by a bind mount and one by a descriptor: unmounted there as well, and back
# after a rollback.
# lab: kernel=new,old config=two timeout=240
# matrix: mount namespaces without processes | graceful, forced, kill | unmounted there as well; back in the same places

# in_kept FILE COMMAND...: in the namespace that it keeps.
in_kept() {
        local file=$1
        shift
        nsenter --mount="$file" "$@"
}

# The namespaces have no process that shows their mounts, so one goes there and looks.
kept_places() {
        local file
        for file in /run/ns/mnt "/proc/$keeper/fd/7"; do
                printf '%s\n' "$file"
                in_kept "$file" cat /proc/self/mountinfo |
                        sed -n 's/^[0-9]* [0-9]* [0-9:]* \(.*\) - \([^ ]* [^ ]*pmem.*\)/\1 \2/p' |
                        sed 's/ \(shared\|master\):[0-9]*/ \1/g' | sort
        done
}

mount_pmem
mkdir -p "$mnt/sub" /srv/read /run/ns
mount -t tmpfs none /run/ns
mount --make-private /run/ns
touch /run/ns/mnt
note "one that a file keeps"
unshare --mount=/run/ns/mnt --propagation private mount --bind -o ro,noatime "$mnt/sub" /srv/read
note "one that a descriptor keeps"
unshare -m --propagation private sleep 1000 &
born=$!
wait_for "[ \$(readlink /proc/$born/ns/mnt) != \$(readlink /proc/self/ns/mnt) ]" 10
sh -c "exec 7</proc/$born/ns/mnt; touch /run/kept; exec sleep 100000" &
keeper=$!
wait_for '[ -e /run/kept ]' 10
kill "$born"
wait "$born" || true
start_app --on-term=ignore --fd-only "$mnt/sub/data"
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
world >/run/before
kept_places >/run/kept
cat /run/before /run/kept
[ "$(grep -c pmem /run/kept)" -eq 3 ] || fail "not 3 mounts in the two namespaces"

note "the plan has them"
pmemremovectl plan --mode=graceful namespace0.0 >/run/plan
cat /run/plan
[ "$(grep -c ' unmount ' /run/plan)" -ge 4 ]

note "undone: the same places"
ctl_refused 5 remove --mode=graceful -y "$mnt"
grep -q "$app" /run/out
journalctl -q --no-pager -o cat -u pmemremoved | grep 'which has no process is undone'
world | diff /run/before -
kept_places | diff /run/kept -
must_fail in_kept /run/ns/mnt sh -c 'echo x >/srv/read/file'
echo y >"$mnt/sub/file"
in_kept /run/ns/mnt grep -q y /srv/read/file

note "done: none is left, and both namespaces live"
kill -KILL "$app"
wait_for '! is_alive $app' 10
request "$mnt" mode s graceful
wait_removal done
[ -z "$(places)" ]
must_fail grep pmem <(kept_places)
is_alive "$keeper"
assert_gone namespace0.0

note "the same with somebody who does not leave"
bind_again namespace0.0
mount_pmem
in_kept /run/ns/mnt mount -o dax=always /dev/pmem0 /srv/read
in_kept "/proc/$keeper/fd/7" mount -o dax=always /dev/pmem0 /srv/read
start_app --on-term=ignore "$mnt/mapped"
request "$mnt" mode s auto
wait_removal done
must_fail is_alive "$app"
[ -z "$(places)" ]
must_fail grep pmem <(kept_places)
is_alive "$keeper"
assert_gone namespace0.0
