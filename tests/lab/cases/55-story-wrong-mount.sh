# SPDX-License-Identifier: LGPL-2.1-or-later
# Only who is on the memory itself is signalled: not who uses the folder below a mount that is not there, not who uses what
# is mounted on top of it or beside it, and nobody else on the machine.
# lab: kernel=new config=one timeout=90
# story: resource-agents #1304
# matrix: bystanders at the same path on other filesystems | kill | alive, never signalled

# Everybody on the machine, by number, start time and name; kernel threads and udev's workers come and go.
everybody() {
        local stat name words
        for stat in /proc/[0-9]*/stat; do
                read -r stat <"$stat" || continue
                name=${stat%)*}
                words=${stat##*) }
                # shellcheck disable=SC2086 # words 3 and on, the parent's number first
                set -- $words
                [ "$2" = 2 ] || [ "$2" = "$$" ] || echo "${name%% *} ${20} ${name#* }"
        done 2>/dev/null | grep -v udev-worker | sort
}

# bystander PATH: whom a wrong match would find, by working directory and by descriptor; any signal ends it.
bystander() {
        (cd "$1" && exec setsid sleep 1000 <"$1") &
        bystanders+=("$!")
        wait_for "[ \"\$(cat /proc/$!/comm)\" = sleep ]" 10
}

bystanders=()
mkdir -p "$mnt" /srv/other
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon

note "a mount point with nothing mounted is a folder of the root filesystem, and no target"
bystander "$mnt"
refused_as NoSuchTarget "$mnt"
refused_as NoSuchTarget "$mnt/"
ctl_refused 3 remove -y "$mnt"
refused_as NoSuchTarget /

note "below the mount, on top of it, beside it, and under a name that only looks like it"
make_ext4
mount_pmem
mkdir -p "$mnt/data" "$mnt-2"
bystander "$mnt-2"
mount -t tmpfs none /srv/other
bystander /srv/other
start_app --on-term=ignore --ack=/run/ack "$mnt/data/file"
mount --bind "$mnt/data" /srv/other
everybody >/run/everybody
request namespace0.0
wait_removal done
[ "$(property Road)" = 's "kill"' ]
property Killed | tee /run/killed
grep -q "^a(usss) 1 $app " /run/killed || fail "not the one that was there, or others, too"
removed
must_fail is_mounted "$mnt/data"
for pid in "${bystanders[@]}"; do is_alive "$pid" || fail "bystander $pid is dead"; done
comm -23 /run/everybody <(everybody) >/run/gone
grep -qv "^$app " /run/gone && fail "these are gone, too: $(cat /run/gone)"
kill -KILL "${bystanders[@]}"
