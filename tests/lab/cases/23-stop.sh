# SPDX-License-Identifier: LGPL-2.1-or-later
# "systemctl stop" in the middle of a removal: it is undone, or past the commit point completed, before the stop is.
# lab: kernel=new config=two timeout=300

mount_pmem
while IFS=: read -r when drain; do
        note "at $when"
        # For an unbind that is long enough to be stopped in.
        if [[ $when == kernel* ]]; then spawn_idle 200; fi
        conf '[Policy]' "DrainSignals=SIGTERM:$drain" 'FreezeBudget=10min'
        start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
        world >/run/before
        start_daemon
        crash "$when"
        request namespace0.0 mode s forced
        crashed
        timeout 30 systemctl stop pmemremoved
        clean_behind
        [ "$(systemctl show -P ActiveState pmemremoved)" = inactive ]
        if is_bound namespace0.0; then as_before; else removed; fi
        ended_well
        case $when in
        *signal*) [ "$result" = cancelled ] ;;
        kernel*) [ "$result" = done ] ;;
        esac
        systemctl stop pmemremoved
        bring_back
done <<'END'
begin.*step=signal:1h
frozen :100ms
kernel :100ms
END
