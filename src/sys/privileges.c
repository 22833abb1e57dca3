/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who needs which capability, and what for. THE TABLE below says it for each process of ours; the
 * unit's CapabilityBoundingSet= is its union, and what only some plans need is in
 * worker-privileges.c.
 *
 * The daemon keeps the others in its permitted set: under NoNewPrivileges= a worker gets by exec no
 * more than the daemon has (cap_bprm_creds_from_file(), security/commoncap.c), so what the daemon
 * gave up no worker had. Everybody else gives up for good. The bounding set stays, because without
 * CAP_SETPCAP nobody may lower it, and with no_new_privs it gives nothing back.
 *
 * "pmemremoved --recover" is in no row and keeps what the unit gives: one process goes through the
 * ledgers of all removals, and what one gave up for good the next might need.
 *
 * Two of them have a filter of their own below the unit's, which is about all of them. It answers
 * EPERM and never kills: a guardian that was killed would leave what it is there to thaw. */

#include "sys/privileges.h"

#include <endian.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ADMIN PRIVILEGE(CAP_SYS_ADMIN)
#define CHROOT PRIVILEGE(CAP_SYS_CHROOT)
#define PTRACE PRIVILEGE(CAP_SYS_PTRACE)
#define SEARCH PRIVILEGE(CAP_DAC_READ_SEARCH)
#define KILL PRIVILEGE(CAP_KILL)
#define LOCK PRIVILEGE(CAP_IPC_LOCK)
#define LOG PRIVILEGE(CAP_SYSLOG)

#define CALLS_MAX 32

/* Without these a dry run can change nothing; how mounts_busy() asks is let through. */
static const int mounting[] = { SYS_mount, SYS_umount2, SYS_move_mount, SYS_fsmount,
        SYS_mount_setattr, SYS_swapon, SYS_swapoff, SYS_fanotify_init };

/* After its start, and how it ends. */
static const int guarding[] = {
        SYS_ioctl, SYS_ppoll, SYS_recvfrom, SYS_sendto, SYS_pidfd_open, SYS_close, SYS_exit,
        SYS_exit_group, SYS_restart_syscall, SYS_rt_sigreturn, SYS_clock_gettime,
#ifdef SYS_nanosleep
        SYS_nanosleep,
#endif
#ifdef SYS_clock_nanosleep
        SYS_clock_nanosleep,
#endif
#ifdef SYS_poll
        SYS_poll,
#endif
/* What libc's send(3) and recv(3) are where the kernel has them (powerpc, arm), or has but this. */
#ifdef SYS_send
        SYS_send,
#endif
#ifdef SYS_recv
        SYS_recv,
#endif
#ifdef SYS_socketcall
        SYS_socketcall,
#endif
/* Times of 64 bits where words have 32. */
#ifdef SYS_ppoll_time64
        SYS_ppoll_time64,
#endif
#ifdef SYS_clock_gettime64
        SYS_clock_gettime64,
#endif
#ifdef SYS_clock_nanosleep_time64
        SYS_clock_nanosleep_time64,
#endif
#ifdef __SANITIZE_ADDRESS__
        /* Asked for at each exit, and for a report. */
        SYS_sigaltstack, SYS_gettid, SYS_write, SYS_mmap
#endif
};

static const struct Role {
        uint64_t has;  /* effective */
        bool for_good; /* and no more than that ever again */
        bool only;     /* nothing but these calls; else: none of these */
        const int *calls;
        size_t n_calls;
        bool asks; /* umount2(2) whether a mount is in use */
} roles[_PRIVILEGES_MAX] = {
        /* ADMIN and PTRACE: the kernel stack of a worker that does not come back (fs/proc/base.c,
         * proc_pid_stack()). SEARCH: a configuration of whomever. */
        [PRIVILEGES_DAEMON] = { .has = ADMIN | PTRACE | SEARCH },
        /* PTRACE and SEARCH: descriptors and mappings of other users' processes. ADMIN and CHROOT:
         * setns(2) into the namespaces where things are mounted; ADMIN: umount2(MNT_EXPIRE). */
        [PRIVILEGES_PLANNER] = { ADMIN | CHROOT | PTRACE | SEARCH, true, false, mounting,
                ELEMENTSOF(mounting), true },
        /* ADMIN and CHROOT: setns(2) into a mount namespace asks for both (mntns_install(),
         * fs/namespace.c), umount for the first. PTRACE and SEARCH: the namespaces and the users of
         * other people's processes. */
        [PRIVILEGES_CLEANER] = { .has = ADMIN | CHROOT | PTRACE | SEARCH, .for_good = true },
        /* As the planner, which it asks again before it acts. ADMIN: mount, umount, FIFREEZE, the
         * console's level. KILL: processes that do not leave. LOCK: mlockall(2). LOG: what the
         * kernel says while it unbinds. */
        [PRIVILEGES_WORKER] = { .has = ADMIN | CHROOT | PTRACE | SEARCH | KILL | LOCK | LOG,
                .for_good = true },
        /* FITHAW asks for it, and for nothing else. It locks its memory before. */
        [PRIVILEGES_GUARDIAN] = { ADMIN, true, true, guarding, ELEMENTSOF(guarding), false },
};

/* No more than there is: by hand, in a container, under a smaller unit. */
static int lower_capabilities(uint64_t wanted, bool for_good)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(data); i++) {
                data[i].effective = data[i].permitted & (uint32_t)(wanted >> (32 * i));
                if (for_good)
                        data[i].permitted = data[i].effective;
                data[i].inheritable = 0;
        }
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, skip)
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, (uint32_t)(what))
#define REFUSE (SECCOMP_RET_ERRNO | EPERM)
#define NUMBER offsetof(struct seccomp_data, nr)
/* The flags of umount2(2): an int, the lower half of what is always 64 bits here. */
#define FLAGS (offsetof(struct seccomp_data, args[1]) + (__BYTE_ORDER == __BIG_ENDIAN ? 4 : 0))

static const struct sock_filter asking[] = {
        LOAD(NUMBER),
        UNLESS(SYS_umount2, 3),
        LOAD(FLAGS),
        UNLESS(MNT_EXPIRE | UMOUNT_NOFOLLOW, 1),
        ANSWER(SECCOMP_RET_ALLOW),
};

/* Numbers of another ABI do not come here: the unit allows the native one only. On the stack,
 * because a guardian's heap is a copy of what its worker held. */
static int filter_calls(const struct Role *r)
{
        struct sock_filter code[ELEMENTSOF(asking) + 2 * CALLS_MAX + 2];
        struct sock_fprog program = { .filter = code };
        size_t k = 0;

        if (r->n_calls > CALLS_MAX)
                return -E2BIG;
        for (size_t i = 0; r->asks && i < ELEMENTSOF(asking); i++)
                code[k++] = asking[i];
        code[k++] = (struct sock_filter)LOAD(NUMBER);
        for (size_t i = 0; i < r->n_calls; i++) {
                code[k++] = (struct sock_filter)UNLESS(r->calls[i], 1);
                code[k++] = (struct sock_filter)ANSWER(r->only ? SECCOMP_RET_ALLOW : REFUSE);
        }
        code[k++] = (struct sock_filter)ANSWER(r->only ? REFUSE : SECCOMP_RET_ALLOW);
        program.len = (unsigned short)k;
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

int privileges_lower(PrivilegeRole role, uint64_t extra)
{
        const struct Role *r = roles + role;
        int e;

        e = lower_capabilities(r->has | extra, r->for_good);
        if (!r->for_good)
                return e;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        if (r->n_calls > 0 && e == 0)
                e = filter_calls(r);
        return e;
}

bool privileges_held(uint64_t capabilities)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

        if (syscall(SYS_capget, &header, data) < 0)
                return false;
        return !(capabilities & ~(data[0].effective | (uint64_t)data[1].effective << 32));
}

bool privileges_within_reach(uint64_t capabilities)
{
        for (int c = 0; c <= CAP_LAST_CAP; c++)
                if ((capabilities & PRIVILEGE(c)) && prctl(PR_CAPBSET_READ, c, 0, 0, 0) != 1)
                        return false;
        return true;
}
