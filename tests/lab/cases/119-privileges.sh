# SPDX-License-Identifier: LGPL-2.1-or-later
# What each process of the service may do, read from the kernel while a removal is under way: no more than its part.
# lab: kernel=new config=two timeout=100
# matrix: daemon, planner, worker, guardian | any | each keeps the capabilities of its part only

# names MASK: the capabilities in it, by the kernel's numbers.
names() {
        local all=(chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable
                net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot
                sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease
                audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read
                perfmon bpf checkpoint_restore) i out=''
        for i in "${!all[@]}"; do
                [ $((16#$1 >> i & 1)) = 0 ] || out+="${all[i]} "
        done
        echo "${out% }"
}

# may PID FIELD EXPECTED
may() {
        local mask
        mask=$(sed -n "s/^$2:\t//p" "/proc/$1/status")
        [ "$(names "$mask")" = "$3" ] || fail "$(cat "/proc/$1/comm"): $2 is $(names "$mask"), not $3"
}

# status PID FIELD
status() {
        sed -n "s/^$2:\t//p" "/proc/$1/status"
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeTimeout=20s'
start_daemon
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
world >/run/before
daemon=$(systemctl show -P MainPID pmemremoved)
everything='chown dac_override dac_read_search fowner fsetid kill ipc_lock sys_chroot sys_ptrace sys_admin mknod setfcap syslog'
may "$daemon" CapEff 'dac_read_search sys_ptrace sys_admin'
may "$daemon" CapPrm "$everything"

note "a planner"
while :; do pmemremovectl plan namespace0.0 >/dev/null 2>&1; done &
asker=$!
victims+=("$asker")
wait_for 'planner=$(child_named pmr-planner) && kill -STOP $planner && [ "$(status $planner Seccomp_filters)" -gt "$(status $daemon Seccomp_filters)" ]' 20
may "$planner" CapEff 'dac_read_search sys_chroot sys_ptrace sys_admin'
may "$planner" CapPrm 'dac_read_search sys_chroot sys_ptrace sys_admin'
kill "$asker"
kill -KILL "$planner"

note "a worker and a guardian"
crash --stop 'frozen ' worker
request namespace0.0 mode s forced
crashed
worker=$(pgrep -of '^pmemremoved --run')
guardian=$(child_named pmr-guardian)
may "$worker" CapEff 'dac_read_search kill ipc_lock sys_chroot sys_ptrace sys_admin syslog'
may "$worker" CapPrm 'dac_read_search kill ipc_lock sys_chroot sys_ptrace sys_admin syslog'
may "$guardian" CapEff sys_admin
may "$guardian" CapPrm sys_admin
[ "$(status "$guardian" NoNewPrivs)" = 1 ]
[ "$(status "$guardian" Seccomp_filters)" -gt "$(status "$worker" Seccomp_filters)" ]

note "and it thaws all the same"
kill -KILL "$worker"
ended_well
bring_back
