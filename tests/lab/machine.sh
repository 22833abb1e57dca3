# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The virtual machine: how it is put together, started, talked to and stopped. A machine has a folder; all of its
# ends are FIFOs there, which a shell can read and write without further tools.

# Machine configurations: the number of 1 GiB NVDIMMs. The first one carries an XFS with rmapbt, not mounted. In
# "legacy" the firmware's memory map has a piece of the RAM as well, a second disk once nd_e820 is loaded: memory with page
# structures and without an info block, like an old NVDIMM-N or a virtio-pmem. Its contents go with the machine. "virtio"
# has a virtio-pmem device instead, which shows once its module is loaded: it can be pulled out by PCI.
declare -A nvdimms=([none]=0 [one]=1 [two]=2 [legacy]=1 [virtio]=0)
declare -A parameters=([legacy]='memmap=384M!1G')
# Machines that QEMU does not resume (seen with 7.2 and 10.0): each case boots its own.
declare -A cold=([virtio]=yes)
memory=2048
processors=2
# 1 GiB and a label area of 16 MiB: other sizes give a region ndctl calls misaligned.
nvdimm_size=1040

# share_processors MACHINES: each of them gets its share of this computer's, two at most. Where they are emulated, what waits
# for another processor spins, so two machines of two on two do little more than one does.
share_processors() {
        processors=$(($(nproc) / $1))
        if [ "$processors" -lt 1 ]; then processors=1; fi
        if [ "$processors" -gt 2 ]; then processors=2; fi
}

# Says what to run the machine with. A KVM device may exist and spin in early boot for ever, so one boot has to
# prove it first; the verdict holds until this computer boots again.
accelerator() {
        local image=$1 verdict
        [ -w /dev/kvm ] || { echo tcg; return; }
        verdict=$cache/kvm-$(cat /proc/sys/kernel/random/boot_id)
        if [ ! -e "$verdict" ]; then
                rm -f "$cache"/kvm-*
                # shellcheck disable=SC2094 # one is a name, one is the content
                if timeout -s KILL 2 qemu-system-x86_64 -accel kvm -cpu host -m 512 -display none -nodefaults -no-reboot \
                        -kernel "$image/new/vmlinuz" -initrd "$image/new/initrd" \
                        -append "lab.trial quiet panic=-1" </dev/null >/dev/null 2>&1; then
                        echo kvm >"$verdict"
                else
                        echo tcg >"$verdict"
                fi
        fi
        cat "$verdict"
}

# machine_arguments IMAGE KERNEL CONFIG FOLDER STAGE SHARE: fills the array qemu. FOLDER holds the memory of the
# machine and of its NVDIMMs as files; SHARE says whether the machine writes to them (off: copy on write).
machine_arguments() {
        local image=$1 kernel=$2 config=$3 folder=$4 stage=$5 share=$6 n count=${nvdimms[$3]} accel
        accel=$(accelerator "$image")
        qemu=(qemu-system-x86_64 -nodefaults -display none -no-reboot -smp "$processors")
        case $accel in
        kvm) qemu+=(-accel kvm -cpu host) ;;
        tcg) qemu+=(-accel "tcg,thread=multi,tb-size=512" -cpu "max,la57=off") ;;
        esac
        qemu+=(
                -machine "q35,nvdimm=on,memory-backend=ram"
                -m "$memory,slots=4,maxmem=8G"
                -object "memory-backend-file,id=ram,mem-path=$folder/ram,size=${memory}M,share=$share"
                -kernel "$image/$kernel/vmlinuz" -initrd "$image/$kernel/initrd" -append "$(command_line) ${parameters[$config]:-}"
                -drive "if=none,id=root,format=raw,readonly=on,file=$image/root.erofs"
                -device "virtio-blk-pci,drive=root,serial=root"
                -drive "if=none,id=stage,format=raw,readonly=on,file=$stage"
                -device "virtio-blk-pci,drive=stage,serial=stage"
                -device virtio-serial-pci -device virtio-rng-pci
        )
        for ((n = 0; n < count; n++)); do
                qemu+=(
                        -object "memory-backend-file,id=pmem$n,mem-path=$folder/nvdimm$n,size=${nvdimm_size}M,share=$share"
                        -device "nvdimm,id=nvdimm$n,memdev=pmem$n,label-size=16M"
                )
        done
        [ "$3" != virtio ] || qemu+=(
                -object "memory-backend-file,id=vpmem,mem-path=$folder/virtio,size=1G,share=$share"
                -device "virtio-pmem-pci,memdev=vpmem,id=vpmem0"
        )
}

command_line() {
        echo "console=ttyS0 loglevel=4 mitigations=off tsc=reliable no_timer_check audit=0 apparmor=0 selinux=0" \
                "cryptomgr.notests random.trust_cpu=on nokaslr init_on_alloc=0 panic=-1 sysrq_always_enabled=1" \
                "log_buf_len=8M systemd.show_status=no systemd.firstboot=off rd.udev.log_level=3"
}

# Starts the machine of the array qemu with its ends in folder $1. Sets pid, and descriptors: qmp_in qmp_out ctl_in
# ctl_out con_in. A FIFO is held open for both directions until QEMU has it too, so that nobody waits for nobody
# and the end of QEMU is an end of file.
machine_start() {
        local end hold=() fd
        run=$1
        shift
        for end in qmp ctl con out; do
                mkfifo "$run/$end.in" "$run/$end.out"
                exec {fd}<>"$run/$end.in"
                hold+=("$fd")
                exec {fd}<>"$run/$end.out"
                hold+=("$fd")
        done
        exec {qmp_out}<"$run/qmp.out" {ctl_out}<"$run/ctl.out" {qmp_in}>"$run/qmp.in" {ctl_in}>"$run/ctl.in" {con_in}>"$run/con.in"
        "${qemu[@]}" "$@" \
                -chardev "pipe,id=qmp,path=$run/qmp" -mon chardev=qmp,mode=control \
                -chardev "pipe,id=con,path=$run/con,logfile=$run/console" -serial chardev:con \
                -chardev "pipe,id=ctl,path=$run/ctl" -device virtserialport,chardev=ctl,name=lab.ctl \
                -chardev "pipe,id=out,path=$run/out" -device virtserialport,chardev=out,name=lab.out \
                -chardev "file,id=log,path=$run/log" -device virtserialport,chardev=log,name=lab.log \
                </dev/null >"$run/qemu.log" 2>&1 {qmp_in}>&- {ctl_in}>&- {con_in}>&- {qmp_out}<&- {ctl_out}<&- 7>&- 8>&- 9>&- &
        pid=$!
        # The first line is the greeting.
        read -r -t 20 _ <&"$qmp_out" || machine_lost
        for fd in "${hold[@]}"; do
                exec {fd}>&-
        done
        cat "$run/con.out" >/dev/null 7>&- 8>&- 9>&- &
        qmp qmp_capabilities
}

# For the subshell that runs a machine: however it ends, the machine ends with it.
stop_with_me() {
        pid=''
        trap machine_kill EXIT
        trap 'exit 143' INT TERM HUP
}

machine_lost() {
        machine_kill
        impossible "QEMU does not start: $(tail -n 1 "$run/qemu.log")"
}

# qmp COMMAND [ARGUMENTS]: one command, its answer in the variable answer.
qmp() {
        printf '{"execute":"%s"%s}\n' "$1" "${2:+,\"arguments\":$2}" >&"$qmp_in"
        while read -r -t 30 answer <&"$qmp_out"; do
                case $answer in
                '{"return"'*) return 0 ;;
                '{"error"'*) echo "lab: $1: $answer" >&2; return 1 ;;
                esac
        done
        return 1
}

machine_quit() {
        printf '{"execute":"quit"}\n' >&"$qmp_in" || true
        wait "$pid" || true
        pid=''
        machine_close
}

machine_kill() {
        [ -n "$pid" ] || return 0
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
        pid=''
        machine_close
}

machine_close() {
        exec {qmp_in}>&- {qmp_out}<&- {ctl_in}>&- {ctl_out}<&- {con_in}>&-
}

# The kernel's own account of what hangs, on the console: blocked tasks, processors, memory.
machine_sysrq() {
        local key
        for key in 8 w l m; do
                qmp chardev-send-break '{"id":"con"}' || return
                printf %s "$key" >&"$con_in"
                sleep 0.5
        done
        sleep 2
}

# migrate OUT|IN FILE: device state only, the memory is in files of its own.
machine_migrate() {
        qmp migrate-set-capabilities '{"capabilities":[{"capability":"x-ignore-shared","state":true}]}' || return
        case $1 in
        out) qmp migrate "{\"uri\":\"exec:cat >$2\"}" || return ;;
        in) qmp migrate-incoming "{\"uri\":\"exec:cat $2\"}" || return ;;
        esac
        until qmp query-migrate && [[ $answer == *'"status": "completed"'* ]]; do
                [[ $answer != *'"status": "failed"'* ]] || return 1
                kill -0 "$pid" || return 1
                sleep 0.02
        done
}
