# SPDX-License-Identifier: LGPL-2.1-or-later
# Ledgers that the daemon did not write, or not like that: nobody obeys them, waits for them or deletes them. The service starts,
# serves and stops, tells of each, and removes nothing before it is deleted.
# lab: kernel=new timeout=240
# matrix: a ledger is foreign, damaged, another version's, or no file | - | not obeyed; told, and nothing is removed before it is deleted

ledgers=/run/pmemremoved
mount_pmem
start_daemon
# Past its commit point, so that who obeys it unbinds the namespace.
request namespace0.0 mode s forced dry-run b true
wait_removal done
request namespace0.0 hold-before-commit b true
reaches waiting
cp "$ledgers/${removal##*/}.ledger" /run/one
sed -i '/^finished\|^reported/d; s/\bid=[0-9]*/id=50/' /run/one
printf 'begin 1\ncommitted\n' >>/run/one
tell Cancel
wait_removal cancelled
world >/run/before

# foreign: where it would be obeyed.
foreign() {
        rm -rf "$ledgers/50.ledger"
        install -m 600 /run/one "$ledgers/50.ledger"
}
as_others() {
        foreign
        chown 65534 "$ledgers/50.ledger"
}
as_open() {
        foreign
        chmod 666 "$ledgers/50.ledger"
}
as_newer() {
        foreign
        sed -i '1s/1$/2/' "$ledgers/50.ledger"
}
as_other_id() {
        foreign
        sed -i 's/\bid=50/id=51/' "$ledgers/50.ledger"
}
as_garbage() {
        foreign
        head -c 5000 /dev/urandom >"$ledgers/50.ledger"
}
as_link() {
        ln -s /run/one "$ledgers/50.ledger"
}
as_fifo() {
        mkfifo -m 600 "$ledgers/50.ledger"
}

for how in as_others as_open as_newer as_other_id as_garbage as_link as_fifo; do
        note "$how"
        systemctl stop pmemremoved
        rm -rf "$ledgers/50.ledger"
        "$how"
        since=$(date +%s.%N)
        timeout 20 systemctl start pmemremoved || fail "it does not start"
        journalctl -q --no-pager -o cat -u pmemremoved --since="@$since" >/run/told
        grep 'ledgers*/50.ledger\|50.ledger' /run/told | head -n 1
        grep -q '50.ledger.*not obeyed.*delete it' /run/told || fail "nobody is told: $(cat /run/told)"
        resolves namespace0.0 namespace0.0
        refused_as InProgress namespace0.0
        [[ $sentence == *50.ledger*"delete it"* ]] || fail "it does not say what to do: $sentence"
        timeout 20 /usr/sbin/pmemremoved --recover 2>/run/out && fail "--recover is content"
        grep -q '50.ledger.*not obeyed' /run/out
        world | diff /run/before - || fail "something was obeyed"
        [ -e "$ledgers/50.ledger" ] || fail "it was deleted"
done

note "deleted, it is in nobody's way"
rm "$ledgers/50.ledger"
request namespace0.0
wait_removal done
assert_gone namespace0.0
