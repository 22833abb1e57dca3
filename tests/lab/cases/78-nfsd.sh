# SPDX-License-Identifier: LGPL-2.1-or-later
# Exports over NFS: named with the command that takes them away, or taken away and given back where the policy says so. No
# process shows them, and a file that a client has open outlives its export.
# lab: kernel=new,old config=two timeout=150
# matrix: nfsd export, file open by a client | any | refused with exportfs -u
# matrix: nfsd export, file open by a client | graceful | UnexportNFS=yes: done, exported again on rollback
# matrix: nfsd client without an export | any | refused with the client's ctl file

command -v python3 >/dev/null || skip "there is no python3 for the client"
# What an NFSv4.0 client says, because no kernel of the lab has the client's module: reads or opens a file, then stays.
cat >/run/nfsclient <<'END'
import signal
import socket
import struct
import sys

READ, LOOKUP, PUTROOTFH, OPEN, SETCLIENTID, SETCLIENTID_CONFIRM = 25, 15, 24, 18, 35, 36


def u32(*numbers):
    return b''.join(struct.pack('>I', n) for n in numbers)


def opaque(data):
    return u32(len(data)) + data + b'\0' * (-len(data) % 4)


def connect():
    # The server wants a port that only root may have.
    for port in range(700, 1000):
        s = socket.socket()
        try:
            s.bind(('127.0.0.1', port))
        except OSError:
            s.close()
            continue
        s.connect(('127.0.0.1', 2049))
        return s
    sys.exit('no free port')


def compound(s, *operations):
    credential = u32(0) + opaque(b'lab') + u32(0, 0, 0)
    call = u32(1, 0, 2, 100003, 4, 1, 1) + opaque(credential) + u32(0, 0) + opaque(b'')
    call += u32(0, len(operations)) + b''.join(operations)
    s.sendall(u32(0x80000000 | len(call)) + call)
    size = struct.unpack('>I', s.recv(4, socket.MSG_WAITALL))[0] & 0x7fffffff
    reply = s.recv(size, socket.MSG_WAITALL)[24:]
    status, tag = struct.unpack('>II', reply[:8])
    if status:
        sys.exit(f'the server answers {status}')
    return reply[8 + (tag + 3 & ~3):]


def main():
    how, path = sys.argv[1], sys.argv[2].strip('/').encode()
    s = connect()
    folder = [u32(PUTROOTFH)] + [u32(LOOKUP) + opaque(name) for name in path.split(b'/')[:-1]]
    name = path.split(b'/')[-1]
    if how == 'read':
        compound(s, *folder, u32(LOOKUP) + opaque(name), u32(READ) + bytes(16) + struct.pack('>QI', 0, 100))
    else:
        reply = compound(s, u32(SETCLIENTID) + b'12345678' + opaque(b'lab') + u32(0) + opaque(b'tcp') +
                         opaque(b'0.0.0.0.0.0') + u32(1))
        client = reply[12:20]
        compound(s, u32(SETCLIENTID_CONFIRM) + client + reply[20:28])
        compound(s, *folder, u32(OPEN, 0, 1, 0) + client + opaque(b'owner') + u32(0, 0) + opaque(name))
    print(how, 'ok', flush=True)
    signal.pause()


main()
END

export_all() {
        exportfs -o rw,no_root_squash,no_subtree_check,fsid=0 "*:$mnt"
        exportfs -o ro,no_subtree_check,insecure "127.0.0.0/8:$mnt/sub folder"
}

start_server() {
        modprobe nfsd
        is_mounted /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
        export_all
        rpc.mountd -N 3
        rpc.nfsd -N 3 -U 4
        echo Y >/proc/fs/nfsd/v4_end_grace
}

# client HOW FILE: has asked when this returns.
client() {
        : >/run/client.log
        python3 /run/nfsclient "$@" >/run/client.log 2>&1 &
        client=$!
        wait_for "[ -s /run/client.log ]" 20
        grep -q ok /run/client.log || fail "the client: $(cat /run/client.log)"
}

mount_pmem
mkdir "$mnt/sub folder"
echo hello >"$mnt/file"
start_server
etab=$(sort /var/lib/nfs/etab)
start_daemon

note "nobody has used it yet: it would serve the empty folder below"
refused_as Busy namespace0.0
grep -qF "exportfs -u '*:$mnt'" <<<"$sentence"
grep -qF "exportfs -u '127.0.0.0/8:$mnt/sub folder'" <<<"$sentence"

note "a client has a file open"
client open /file
must_fail umount "$mnt"
for mode in graceful auto; do refused_as Busy namespace0.0 mode s "$mode"; done
[ "$(sort /var/lib/nfs/etab)" = "$etab" ]

note "unexported by hand, it is still open"
exportfs -u "*:$mnt"
exportfs -u "127.0.0.0/8:$mnt/sub folder"
must_fail umount "$mnt"
refused_as Busy namespace0.0
grep -q 'expire >/proc/fs/nfsd/clients/.*/ctl' <<<"$sentence"
kill "$client"
export_all

note "allowed, but not carried out"
conf '[Policy]' 'UnexportNFS=yes'
systemctl reload pmemremoved
client open /file
world >/run/before
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
must_fail is_mounted
[ -z "$(cat /var/lib/nfs/etab)" ] || fail "still exported: $(cat /var/lib/nfs/etab)"
tell Cancel
wait_removal cancelled
kill "$client"
world | diff /run/before -
[ "$(sort /var/lib/nfs/etab)" = "$etab" ] || fail "exported otherwise: $(cat /var/lib/nfs/etab)"
client read /file

note "carried out"
request namespace0.0
wait_removal done
assert_gone namespace0.0
[ -z "$(cat /var/lib/nfs/etab)" ]
