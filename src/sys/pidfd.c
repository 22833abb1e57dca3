/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Processes by descriptor. A pid is only a name and may mean another process by now; everything
 * that signals or waits goes through a pidfd whose identity was checked. */

#include <poll.h>
#include <sys/syscall.h>

#include "sys/pidfd.h"
#include "sys/proc.h"

int pidfd_open_checked(pid_t pid, uint64_t start)
{
        _cleanup_(closep) int fd = -EBADF;
        uint64_t now;
        int r;

        fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0)
                return -errno;
        /* In this order: whoever had the pid at the open started no later than whoever has it now,
         * so the right start time here means that the descriptor is of that process too. */
        r = proc_start_time(pid, &now);
        if (r < 0)
                return r;
        if (now != start)
                return -ESRCH;
        return TAKE_FD(fd);
}

int pidfd_signal(int pidfd, int sig)
{
        if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0)
                return -errno;
        return 0;
}

int pidfd_exited(int pidfd)
{
        struct pollfd p = { .fd = pidfd, .events = POLLIN };
        int n;

        do
                n = poll(&p, 1, 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (p.revents & POLLNVAL)
                return -EBADF;
        return n > 0;
}
