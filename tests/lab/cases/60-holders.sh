# SPDX-License-Identifier: LGPL-2.1-or-later
# One process of each kind there is: all are named, with what they do and nobody else. What no scan can show is refused
# by the kernel's own proof, and the message names who it may be.
# lab: kernel=new,old config=two timeout=240

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms'
start_daemon

# plant KIND COMMAND...: its pid in $pid and in the zoo; what was started is $job.
declare -A zoo
plant() {
        local kind=$1 out=/run/zoo-$1
        shift
        setsid "$@" >"$out" </dev/null &
        job=$!
        wait_for "[ -s $out ]" 20
        pid=$(head -n 1 "$out")
        zoo[$kind]=$pid
}

# look: what the daemon says, one line for each process: PID COMM USES.
look() {
        pmemremovectl plan --json=short namespace0.0 >/run/plan || true
        jq -r '.kills[] | "\(.pid) \(.command) \(.why | split(" ")[0])"' /run/plan | sort -n
}

# shown KIND USES: mappings of a DAX file count as DAX.
shown() {
        grep -qx "${zoo[$1]} [^ ]* $2" /run/seen || fail "$1 (${zoo[$1]}) is not shown as $2: $(cat /run/seen)"
}

note "by holderzoo"
/lab/holderzoo >/run/kinds
if ! modprobe -q unix_diag; then
        note "no sockets: this kernel came without unix_diag"
        sed -i '/ socket$/d' /run/kinds
fi
while read -r kind uses; do
        [ "$uses" = - ] || plant "$kind" /lab/holderzoo "$kind" "$mnt"
done </run/kinds

note "a program that lies there, a process of another pid namespace, a frozen one"
cp /lab/holderzoo "$mnt/program"
cd /
plant exe "$mnt/program" file /run
plant other-pid unshare --pid --fork --kill-child sh -c "echo here; exec sleep 100000 <$mnt/program"
wait_for 'zoo[other-pid]=$(cat /proc/$job/task/$job/children) && [ -n "${zoo[other-pid]}" ]' 10
zoo[other-pid]=${zoo[other-pid]% }
plant frozen /lab/holderzoo cwd "$mnt"
mkdir /sys/fs/cgroup/frozen
echo "${zoo[frozen]}" >/sys/fs/cgroup/frozen/cgroup.procs
echo 1 >/sys/fs/cgroup/frozen/cgroup.freeze
plant container /lab/holderzoo cwd "$mnt"
id=$(printf '%064d' 7)
mkdir -p "/sys/fs/cgroup/docker-$id.scope"
echo "${zoo[container]}" >"/sys/fs/cgroup/docker-$id.scope/cgroup.procs"

look | tee /run/seen
while read -r kind uses; do
        [ "$uses" = - ] || shown "$kind" "$uses"
done </run/kinds
shown exe dax,exe
shown other-pid fd
shown frozen cwd
shown container cwd
pmemremovectl plan namespace0.0 >/run/text || true
grep "^${zoo[frozen]} .*, frozen" /run/text
grep "^${zoo[container]} .*, in container docker:000000000000" /run/text

note "nobody else"
while read -r pid comm uses; do
        [[ " ${zoo[*]} " == *" $pid "* ]] || fail "$pid ($comm) holds nothing, but is shown with $uses"
done </run/seen

note "all of them go"
request namespace0.0 mode s auto
wait_removal done
assert_gone namespace0.0
for kind in "${!zoo[@]}"; do must_fail is_alive "${zoo[$kind]}"; done

note "hidden ones, one by one"
bind_again namespace0.0
mount_pmem
while read -r kind uses; do
        [ "$uses" = - ] || continue
        plant "$kind" /lab/holderzoo "$kind" "$mnt"
        [ -z "$(look)" ] || fail "$kind is shown; then say so in holderzoo.c"
        request namespace0.0 mode s graceful
        result_of
        [ "$result" = refused ] || fail "$kind: $result"
        property Error >/run/error
        grep -q 'something that no process shows' /run/error || fail "$kind: no hint"
        grep -q " $pid ($kind)" /run/error || fail "$kind: $pid is not named"
        is_bound namespace0.0
        is_mounted
        kill -KILL "$pid"
        wait_for "! is_alive $pid" 5
done </run/kinds
