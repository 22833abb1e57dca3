# SPDX-License-Identifier: LGPL-2.1-or-later
# OpenGate=: newcomers are refused to open files while a removal goes on, users of the plan may; everybody may again when it
# is undone, also when the worker that kept the door is killed.
# lab: kernel=new,old config=two timeout=120
# matrix: newcomers that open files, OpenGate=always | any | refused while it goes on, let in again on rollback

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:1h' 'OpenGate=clean'
start_daemon
echo content >"$mnt/content"
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
world >/run/before
plan() {
        busctl call "$bus_name" "$bus_path" "$bus_name.Manager" PlanRemove 'sa{sv}' namespace0.0 0
}

note "this kernel would be tainted, so clean means no, and says so"
plan >/run/plan
grep -q 'would taint this kernel' /run/plan
must_fail grep -q op=opengate /run/plan

conf '[Policy]' 'DrainSignals=SIGTERM:1h' 'OpenGate=always'
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" Reload
plan | grep -q op=opengate
for end in cancel kill; do
        note "newcomers are kept out, until $end"
        request namespace0.0 mode s graceful
        reaches draining
        wait_for "! cat $mnt/content" 10
        must_fail ls "$mnt"
        must_fail sh -c "echo x >$mnt/new"
        is_writing
        case $end in
        cancel) tell Cancel ;;
        kill) kill -KILL "$(pgrep -f 'pmemremoved --run' | head -n 1)" ;;
        esac
        result_of
        [ "$result" != done ]
        [ "$(cat "$mnt/content")" = content ]
        as_before
        clean_behind
done

note "it holds up nothing"
kill -KILL "$app"
wait_for '! is_alive $app' 10
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
clean_behind
app=
