# SPDX-License-Identifier: LGPL-2.1-or-later
# Every method of every interface, called by somebody who is not root: with polkit and no rule, with rules that look at
# what would be removed, with a policy file that polkit cannot read, without polkit. A method that is not in the table fails.
# lab: kernel=new config=two timeout=240
# story: usbguard #273
# matrix: asked for by a user whom polkit does not allow, cannot be asked about, or is not there for | any | refused, nothing begins

# METHOD: what it does with a stranger; the object, M(anager), the H(eld) or the E(nded) removal; its arguments.
declare -A table=(
        [Manager.PlanRemove]="reads M namespace0.0 0"
        [Manager.ResolveTarget]="reads M namespace0.0"
        [Manager.ListRemovals]="reads M"
        [Manager.ListInhibitors]="reads M"
        [Manager.RequestRemove]="asks M namespace0.0 0"
        [Manager.Inhibit]="asks M namespace0.0 somebody because block"
        [Manager.Reload]="asks M"
        [Removal.Wait]="reads E"
        [Removal.Extend]="asks H 1"
        [Removal.Confirm]="asks H"
        [Removal.Cancel]="asks H"
)

somebody() {
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# as_somebody METHOD [ARGUMENT]...: its error name in $error, empty for none. The signature is in $signatures.
as_somebody() {
        local object=$bus_path what
        read -r _ what _ <<<"${table[$1]}"
        case $what in
        H) object=$held ;;
        E) object=$ended ;;
        esac
        error=$({ SYSTEMD_LOG_LEVEL=debug somebody busctl --allow-interactive-authorization=no --timeout=60 \
                call "$bus_name" "$object" "$bus_name.${1%.*}" "${1#*.}" ${signatures[$1]:+"${signatures[$1]}"} \
                "${@:2}" 2>&1 || true; } | sed -n 's/.*type=error .*error-name=\([^ ]*\).*/\1/p' | tail -n 1)
}

is_denied() {
        case $error in
        *.AccessDenied | *.InteractiveAuthorizationRequired) ;;
        *) return 1 ;;
        esac
}

# over TARGET: no removal of that is under way.
over() {
        busctl --json=short call "$bus_name" "$bus_path" "$bus_name.Manager" ListRemovals |
                jq -e --arg target "$1" '.data[0] | all(.[2] != $target or .[4] != "")'
}

# everything WORD: calls every method as somebody; those that change something are answered as WORD says: closed, open.
everything() {
        local method verdict arguments
        for method in "${methods[@]}"; do
                [ -n "${table[$method]:-}" ] || fail "$method has no row in this case: may everybody call it?"
                read -r verdict _ arguments <<<"${table[$method]}"
                # shellcheck disable=SC2086
                as_somebody "$method" $arguments
                printf '%s, %s: %s\n' "$1" "$method" "${error:-done}"
                case $verdict:$1 in
                reads:*) [ -z "$error" ] || fail "reading is free" ;;
                asks:closed) is_denied || fail "not denied" ;;
                asks:open) must_fail is_denied ;;
                esac
        done
}

# properties_closed: what can be written is root's. Written with the value it has.
properties_closed() {
        local name
        for name in LogLevel LogTarget; do
                must_fail somebody busctl set-property "$bus_name" /org/freedesktop/LogControl1 \
                        org.freedesktop.LogControl1 "$name" s debug 2>/dev/null
        done
}

# hold_one: a removal of root's that waits to be confirmed.
hold_one() {
        request namespace1.0 hold-before-commit b true
        held=$removal
        reaches waiting
}

declare -A signatures=()
mapfile -t methods < <(/usr/sbin/pmemremoved --introspect | tr '\n' ' ' | sed 's/</\n</g' | awk '
        function attribute(name) {
                if (!match($0, " " name "=\"[^\"]*\"")) return ""
                return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
        }
        /^<interface / { interface = attribute("name"); sub(/^org\.pmemremoved1\./, "", interface) }
        /^<method / { method = interface "." attribute("name"); types = "" }
        /^<arg / && attribute("direction") == "in" { types = types attribute("type") }
        /^<\/method>/ { print method, types }')
for i in "${!methods[@]}"; do
        read -r name signature <<<"${methods[i]}"
        methods[i]=$name
        signatures[$name]=$signature
done
[ ${#methods[@]} -ge 9 ] || fail "only ${#methods[@]} methods: ${methods[*]}"

mount_pmem
start_app --ack=/run/ack "$mnt/data"
start_daemon
world >/run/before
request namespace0.0 dry-run b true
ended=$removal
hold_one
systemctl start polkit

note "polkit knows every action of the file, and answers no"
policy=/usr/share/polkit-1/actions/org.pmemremoved1.policy
sed -n 's/.*<action id="\([^"]*\)".*/\1/p' "$policy" | sort >/run/actions
pkaction | grep "^$bus_name\." | sort | diff /run/actions -
[ "$(wc -l </run/actions)" -ge 7 ]
everything closed
properties_closed
is_alive "$app"
[ "$(property State)" = 's "waiting"' ]

# rule CONDITION: somebody is allowed what it is true for. (polkit.log() goes nowhere as polkit runs here.)
rule() {
        cat >/etc/polkit-1/rules.d/10-lab.rules <<END
polkit.addRule(function(action, subject) {
        function is(key, value) { return action.lookup(key) == value; }
        if (action.id.indexOf("$bus_name.") == 0 && subject.user == "nobody" && ($1))
                return polkit.Result.YES;
});
END
        systemctl restart polkit
}

note "a rule sees what would be removed"
rule "action.id == \"$bus_name.remove\" && is(\"target\", \"/dev/pmem0\") && is(\"mode\", \"auto\") &&
        action.lookup(\"road\").indexOf(\"graceful \") == 0 && is(\"devices\", \"namespace0.0\") &&
        is(\"mounts\", \"$mnt\") && is(\"processes\", \"1\")"
as_somebody Manager.RequestRemove /dev/pmem0 1 dry-run b true
[ -z "$error" ] || fail "the facts are not those: $error"
as_somebody Manager.RequestRemove "$mnt" 1 dry-run b true
is_denied || fail "another word, and allowed: $error"
as_somebody Manager.RequestRemove /dev/pmem0 2 dry-run b true override as 1 budget
is_denied || fail "overruled without remove-forced: $error"

note "a rule for memory that nobody uses"
rule 'action.id.indexOf(".remove") > 0 && is("mounts", "none") && is("processes", "0")'
as_somebody Manager.RequestRemove namespace0.0 0
is_denied || fail "it let somebody remove what is in use: $error"
kill "$app"
wait_for '! is_alive $app' 10
umount "$mnt"
as_somebody Manager.RequestRemove namespace0.0 0
[ -z "$error" ] || fail "the rule allows unused memory: $error"
wait_for "over namespace0.0" 20
assert_gone namespace0.0
bind_again namespace0.0
mount_pmem

note "a rule allows everything"
rule true
everything open
wait_for "over namespace0.0" 20
wait_for "over namespace1.0" 20

note "the policy file cannot be read: nobody may anything, whatever the rules say"
wait_for 'is_bound namespace1.0 || bind_again namespace1.0' 10
wait_for 'is_bound namespace0.0 || bind_again namespace0.0' 10
hold_one
cp "$policy" /run/policy
printf '<policyconfig><action id="%s.remove">' "$bus_name" >"$policy"
systemctl restart polkit
everything closed
cp /run/policy "$policy"

note "polkit does not run"
systemctl mask --runtime --now polkit 2>/dev/null
everything closed
properties_closed
removal=$held
[ "$(property State)" = 's "waiting"' ]
tell Cancel
wait_removal cancelled
request namespace1.0
wait_removal done
