# SPDX-License-Identifier: LGPL-2.1-or-later
# Applications forbid the removal of what they use: everybody is refused with who and why, root included, and nothing is
# touched. Only the option for it, with a polkit action of its own, sets it aside.
# lab: kernel=new config=two timeout=150
# story: systemd #17579
# matrix: an application forbids it (Inhibit, mode block) | all | refused with who and why, root as well
# matrix: the same, with ignore-inhibitors | graceful | removed, the journal names who was ignored

mount_pmem
start_app --ack=/run/ack "$mnt/data"
conf '[Policy]' 'Mode=graceful'
start_daemon
world >/run/before
listen

note "what a lock is about, and what not"
hold_lock --target="$mnt" --who=database --why='a checkpoint runs'
database=$lock
hold_lock --target=namespace1.0 --who=other --why='other memory'
pmemremovectl inhibitors
for name in namespace0.0 /dev/pmem0 "$mnt" region0 nmem0; do
        refused_as Inhibited "$name"
        grep -q 'database.*a checkpoint runs' <<<"$sentence" || fail "who and why is not said"
        if grep -q 'other memory' <<<"$sentence"; then fail "that lock is about other memory"; fi
done
refused_as Inhibited ndbus0
grep -q 'database.*other memory' <<<"$sentence" || fail "not all who forbid it are named"

note "the client: exit status, plan, JSON"
ctl_refused 4 remove -y namespace0.0
grep -q 'database.*a checkpoint runs' /run/out
ctl_refused 4 plan namespace0.0
pmemremovectl --json=short inhibitors | grep -q '"target":"/mnt/pmem","mode":"block","who":"database"'
world | diff /run/before -
is_alive "$app"
if grep -q PrepareForRemoval /run/signals; then fail "announced, although it is forbidden"; fi

note "somebody who is not root needs polkit's word, to lock and to ignore"
systemctl start polkit
cat >/etc/polkit-1/rules.d/10-lab.rules <<END
polkit.addRule(function(action, subject) {
        if (subject.user == "nobody" && (action.id == "org.pmemremoved1.remove" || action.id == "org.pmemremoved1.inhibit-delay"))
                return polkit.Result.YES;
});
END
systemctl restart polkit
somebody=(setpriv --reuid=65534 --regid=65534 --clear-groups pmemremovectl --no-ask-password)
code=0
"${somebody[@]}" inhibit --why=mine true || code=$?
[ "$code" -eq 77 ] || fail "exit status $code, not 77"
"${somebody[@]}" inhibit --why=mine --mode=delay true
code=0
"${somebody[@]}" remove -y --ignore-inhibitors namespace0.0 </dev/null || code=$?
[ "$code" -eq 77 ] || fail "exit status $code, not 77"
world | diff /run/before -

note "ignored, and who was"
pmemremovectl remove -y --ignore-inhibitors namespace0.0
removed
announced true
removal=$bus_path/removal/1
records "$removal" | grep 'has it ignore database .*a checkpoint runs'

note "the holder dies: nothing forbids it any more"
app=
bind_again namespace0.0
mount_pmem
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
refused_as Inhibited namespace0.0
kill -KILL "$database"
wait_for "[ \$(n_locks) -eq 1 ]" 10
request namespace0.0
wait_removal done
assert_gone namespace0.0
let_go
