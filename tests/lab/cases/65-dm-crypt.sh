# SPDX-License-Identifier: LGPL-2.1-or-later
# dm-crypt: a key that the table shows waits in the kernel's keyring and nowhere else; one that the kernel keeps to itself
# (LUKS2) cannot be given back, so the device is for its owner to close.
# lab: kernel=new config=two timeout=240 ci=no
# matrix: dm-crypt, key in its table (plain, LUKS1) | graceful | deactivated, opened again on rollback
# matrix: dm-crypt, key in a keyring (LUKS2) | any | refused with "cryptsetup close"
# matrix: dm-crypt | forced | refused: dm does not pass pre-remove on

tables() {
        dmsetup table --showkeys | sed -E 's/ 259:[0-9]+ / N /' | sort
}

# The keys are in no file of the daemon's, in no record of the journal and, but for a removal under way, in no keyring.
no_key_told() {
        cat /run/pmemremoved/*.ledger >/run/told
        journalctl -q --no-pager >>/run/told
        must_fail grep -q -f /run/secrets /run/told /run/plan
}

back() {
        tables | diff /run/tables -
        echo 1 >/proc/sys/vm/drop_caches
        [ "$(md5sum <"$mnt/data")" = "$sum" ]
        [ "$(md5sum <"$mnt/luks/data")" = "$sum" ]
        echo x >"$mnt/luks/probe"
        no_key_told
        must_fail grep pmemremoved: /proc/keys
        clean_behind
}

# The cipher that the guest's kernels have built in.
cipher=(--cipher aes-cbc-plain64 --key-size 256)
quick=("${cipher[@]}" --batch-mode --key-file /run/phrase --pbkdf pbkdf2 --pbkdf-force-iterations 1000)
printf secret >/run/phrase
wipefs -qa /dev/pmem0 /dev/pmem1
parted -s /dev/pmem0 mklabel gpt mkpart one 2MiB 40% mkpart two 40% 80%
udevadm settle
head -c 32 /dev/urandom >/run/key
cryptsetup open --type plain "${cipher[@]}" --key-file /run/key /dev/pmem0p1 plain
cryptsetup luksFormat --type luks1 "${quick[@]}" /dev/pmem0p2
cryptsetup open --key-file /run/phrase /dev/pmem0p2 luks1
tables >/run/tables
sed -n 's/.* crypt [^ ]* \([0-9a-f]\{64,\}\) .*/\1/p' /run/tables >/run/secrets
[ "$(wc -l </run/secrets)" -eq 2 ]
make_ext4 /dev/mapper/plain
make_ext4 /dev/mapper/luks1
mkdir -p "$mnt"
mount /dev/mapper/plain "$mnt"
mkdir "$mnt/luks"
mount /dev/mapper/luks1 "$mnt/luks"
dd if=/dev/urandom of="$mnt/data" bs=1M count=2 status=none
cp "$mnt/data" "$mnt/luks/data"
sum=$(md5sum <"$mnt/data")
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
world >/run/before
pmemremovectl plan namespace0.0 >/run/plan
grep -q 'deactivate *luks1' /run/plan
refused_as NotSupported namespace0.0 mode s forced
grep -q 'stacked devices' <<<"$sentence"

note "cancelled when both are down"
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
must_fail ls -d /sys/block/dm-*
[ "$(grep -c pmemremoved: /proc/keys)" -eq 2 ] || fail "$(cat /proc/keys)"
no_key_told
tell Cancel
wait_removal cancelled
back

note "dead after the unbind: a fresh process finds the keys"
crash 'begin.* step=flush ' worker daemon
request namespace0.0 mode s graceful
crashed
result_of
back
systemctl reset-failed pmemremoved

note "LUKS2"
cryptsetup luksFormat --type luks2 --keyslot-cipher aes-cbc-plain64 --keyslot-key-size 256 "${quick[@]}" /dev/pmem1
cryptsetup open --key-file /run/phrase /dev/pmem1 luks2
dmsetup table luks2
for mode in graceful forced auto; do
        refused_as Busy namespace1.0 mode s "$mode"
        grep -q 'cryptsetup close /dev/mapper/luks2' <<<"$sentence"
done
cryptsetup close luks2
request namespace1.0
wait_removal done

note "and away, with its keys"
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
no_key_told
wait_for '! grep pmemremoved: /proc/keys' 5
bind_again namespace0.0
cryptsetup open --type plain "${cipher[@]}" --key-file /run/key /dev/pmem0p1 plain
mount /dev/mapper/plain "$mnt"
[ "$(md5sum <"$mnt/data")" = "$sum" ]
