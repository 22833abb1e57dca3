# SPDX-License-Identifier: LGPL-2.1-or-later
# PostgreSQL on the memory, under load, with Restart=always: stopped through its manager, never signalled; vetoed, timed out,
# cancelled, left by a dead daemon it serves again; and no row that it acknowledged is ever missing.
# lab: kernel=new config=one timeout=300
# story: udisks #871
# matrix: a database under load | graceful | stopped in order; back with every acknowledged row
# matrix: a database that does not stop in time | graceful | undone, serves again

bin=$(echo /usr/lib/postgresql/*/bin)
data=$mnt/cluster
run=/run/database

as_postgres() {
        (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
}

sql() {
        "$bin/psql" -qAtX -v ON_ERROR_STOP=1 -U postgres -h "$run" "$@" postgres
}

# How it is stopped can be changed from case to case: MODE of /run/database.mode.
make_database() {
        install -d -o postgres "$data" "$run"
        chmod 700 "$data"
        as_postgres "$bin/initdb" -k -N -A trust --no-locale -E UTF8 --no-instructions -D "$data" >/run/initdb.log 2>&1
        echo MODE=fast >/run/database.mode
        cat >/run/systemd/system/database.service <<END
[Unit]
RequiresMountsFor=$data
[Service]
Type=notify
User=postgres
EnvironmentFile=/run/database.mode
ExecStart=$bin/postgres -D $data -k $run -c listen_addresses= -c shared_buffers=16MB -c autovacuum=off
ExecStop=$bin/pg_ctl stop -D $data -m \$MODE -t 3600
TimeoutStopSec=8s
Restart=always
RestartSec=200ms
END
        systemctl start database
        sql -c 'CREATE SEQUENCE s; CREATE TABLE log(id bigint PRIMARY KEY, sum text)'
}

# Inserts without end; /run/acked has the numbers that were acknowledged. Comes back whenever the database does.
load() {
        set +e
        while :; do
                yes "INSERT INTO log SELECT n, md5(n::text) FROM nextval('s') n RETURNING id;" |
                        sql >>/run/acked 2>>/run/load.log
                sleep 0.2
        done
}

acked() {
        wc -l </run/acked
}

# The database serves, and rows are acknowledged.
serves() {
        local before
        wait_for 'systemctl is-active database' "${1:-20}"
        before=$(acked)
        wait_for "[ \$(acked) -gt $before ]" 20
}

# Every acknowledged row is there, and every row is what it was.
whole() {
        sort /run/acked >/run/acked.sorted
        sql -c 'SELECT id FROM log WHERE sum = md5(id::text)' | sort >/run/rows
        comm -23 /run/acked.sorted /run/rows >/run/lost
        [ ! -s /run/lost ] || fail "$(wc -l </run/lost) acknowledged rows are lost: $(head -n 5 /run/lost | paste -sd' ')"
        [ "$(sql -c 'SELECT count(*) FROM log WHERE sum <> md5(id::text)')" = 0 ]
        note "$(wc -l </run/acked.sorted) acknowledged rows are there"
}

# The device comes back, the filesystem is clean, and so is the cluster.
comes_back() {
        bind_again namespace0.0
        xfs_repair -n /dev/pmem0 >/run/repair 2>&1 || fail "the filesystem is not clean: $(cat /run/repair)"
        mount_pmem
        "$bin/pg_controldata" "$data" | grep 'Database cluster state: *shut down$' || fail "it was not stopped in order"
        as_postgres "$bin/pg_checksums" --check -D "$data" | grep 'Bad checksums: *0'
        systemctl start database
        serves
        whole
}

# Whatever was begun is undone: it is mounted, it serves, nothing is lost.
undone() {
        world | diff /run/before -
        serves
        whole
        clean_behind
}

mount_pmem
make_database
(load) </dev/null >/dev/null 2>&1 &
serves
conf '[Policy]' 'StopUnitTimeout=20s'
start_daemon
world >/run/before

note "veto: somebody copies it"
pmemremovectl inhibit --target="$mnt" --who=backup --why="a base backup runs" sleep 1000 &
inhibitor=$!
wait_for 'pmemremovectl inhibitors | grep -q backup' 10
main=$(systemctl show -P MainPID database)
refused_as Inhibited namespace0.0
grep -q 'backup.*a base backup runs' <<<"$sentence"
[ "$(systemctl show -P MainPID database)" = "$main" ] || fail "it was stopped all the same"
kill "$inhibitor"
wait "$inhibitor" || true
undone

note "cancelled when it is stopped and unmounted"
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
must_fail is_mounted
must_fail systemctl is-active database
tell Cancel
result_of
[ "$result" = cancelled ]
undone

note "the daemon dies when it is stopped"
crash 'begin.*step=unmount ' daemon
request namespace0.0 mode s graceful
crashed
result_of
case $result in
done) comes_back ;;
*) undone ;;
esac
systemctl reset-failed pmemremoved
world >/run/before

note "it does not stop: a session is open, and it waits for that; the daemon does not wait, and answers meanwhile"
echo MODE=smart >/run/database.mode
conf '[Policy]' 'StopUnitTimeout=2s'
systemctl reload pmemremoved
request namespace0.0 mode s graceful
wait_for '[ "$(systemctl show -P SubState database)" = stop ]' 20
for _ in 1 2 3; do answers; done
result_of
[ "$result" = timed-out ] || fail "$result"
property Error | grep -q database.service
echo MODE=fast >/run/database.mode
undone

note "removed under load: stopped by its manager, nobody is signalled, nothing starts it again"
conf '[Policy]' 'StopUnitTimeout=20s'
systemctl reload pmemremoved
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
must_fail is_mounted
[ "$(property Killed)" = 'a(usss) 0' ] || fail "killed: $(property Killed)"
wait_for 'records "$removal" | grep ": removed"' 10
records "$removal" | grep 'stopping services'
if records "$removal" | grep 'was sent'; then fail "it was signalled"; fi
sleep 1
must_fail systemctl is-active database
[ ! -e "$data" ] || fail "something was made in the empty folder"
comes_back
