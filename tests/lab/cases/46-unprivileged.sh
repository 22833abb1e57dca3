# SPDX-License-Identifier: LGPL-2.1-or-later
# Somebody who is not root: reads are free, changes ask polkit, and without polkit only root may.
# lab: kernel=new config=two timeout=240

mount_pmem
start_app --ack=/run/ack "$mnt/data"
start_daemon
world >/run/before
somebody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# denied METHOD SIGNATURE ARGUMENT...: by the bus, on the object in $object.
denied() {
        SYSTEMD_LOG_LEVEL=debug "${somebody[@]}" busctl --allow-interactive-authorization=no call "$bus_name" "$object" \
                "$bus_name.$1" "${@:2}" >/run/out 2>&1 && fail "accepted: $*"
        grep -oE 'error-name=[^ ]*(AccessDenied|InteractiveAuthorizationRequired) error-message=.*' /run/out ||
                fail "$* is refused for another reason: $(tail -n 2 /run/out)"
}

nothing_for_somebody() {
        object=$bus_path
        denied Manager RequestRemove 'sa{sv}' namespace0.0 0
        denied Manager Reload
        "${somebody[@]}" busctl call "$bus_name" "$bus_path" "$bus_name.Manager" ListRemovals >/dev/null
        local code=0
        "${somebody[@]}" pmemremovectl --no-ask-password remove -y namespace0.0 >/run/out 2>&1 </dev/null || code=$?
        cat /run/out
        [ "$code" -eq 77 ] || fail "exit status $code, not 77"
        world | diff /run/before -
        is_alive "$app"
}

note "polkit runs"
systemctl start polkit
nothing_for_somebody
"${somebody[@]}" pmemremovectl list | grep -q namespace0.0
"${somebody[@]}" pmemremovectl plan namespace0.0 | grep -q "$app"

note "polkit allows one thing, and only that"
cat >/etc/polkit-1/rules.d/10-lab.rules <<END
polkit.addRule(function(action, subject) {
        if (action.id == "org.pmemremoved1.remove" && action.lookup("target") == "namespace1.0" && subject.user == "nobody")
                return polkit.Result.YES;
});
END
systemctl restart polkit
denied Manager RequestRemove 'sa{sv}' namespace1.0 1 mode s forced
denied Manager RequestRemove 'sa{sv}' namespace1.0 1 ignore-inhibitors b true
denied Manager RequestRemove 'sa{sv}' namespace0.0 0
"${somebody[@]}" busctl call "$bus_name" "$bus_path" "$bus_name.Manager" RequestRemove 'sa{sv}' namespace1.0 0
removal=$bus_path/removal/1
wait_removal done
[ "$(property StartedByUID)" = 'u 65534' ]
assert_gone namespace1.0

note "what root began, nobody else cancels"
kill -STOP "$app"
request namespace0.0 mode s graceful hold-before-commit b true
object=$removal
denied Removal Cancel
denied Removal Confirm
denied Removal Extend t 1000000
busctl call "$bus_name" "$removal" "$bus_name.Removal" Cancel
wait_removal cancelled
kill -CONT "$app"
wait_for '! is_alive $app' 10
start_app --ack=/run/ack2 "$mnt/data2"
world | diff /run/before <(bind_again namespace1.0 && world) || true

note "polkit does not run"
systemctl mask --runtime --now polkit 2>/dev/null
world >/run/before
nothing_for_somebody
request namespace0.0
wait_removal done
