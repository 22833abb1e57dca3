/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Child half of the worker: "pmemremoved --run", with the ledger as descriptor 3 and the parent's
 * socket as 4. It can be started by hand on a ledger, under a debugger or in a test; without a
 * socket nobody listens and nobody cancels. */

#include "worker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "run.h"
#include "sys/privileges.h"
#include "util/fault.h"
#include "util/text.h"
#include "worker-blocked.h"
#include "worker-privileges.h"

#define LEDGER_FD 3
#define SOCKET_FD 4
/* Who waits for the kernel can wait that much longer. */
#define LOCK_PAUSE_USEC (200 * USEC_PER_MSEC)
#define TELL_USEC (2 * USEC_PER_SEC)
#define BLOCKED_MAX 512

static void tell(int fd, const char *verb, const char *text)
{
        _cleanup_(record_freep) Record *r = record_new(verb, NULL);
        _cleanup_(freep) char *line = NULL;

        if (fd < 0 || !r || record_set(r, "text", text) < 0)
                return;
        line = record_print(r);
        if (line)
                (void)send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void tell_lock_wait(int socket_fd, char last[static BLOCKED_MAX])
{
        char who[BLOCKED_MAX] = "it does not show why", text[BLOCKED_MAX + 64];

        (void)worker_blocked_holder(LEDGER_FD, who, sizeof(who));
        if (streq(who, last))
                return;
        (void)snprintf(last, BLOCKED_MAX, "%s", who);
        (void)snprintf(text, sizeof(text), "waiting for the end of the earlier worker: %s", who);
        tell(socket_fd, "lock-wait", text);
}

/* Nothing hurries the kernel, so there is no deadline; who asks is told for whom we wait. */
static int wait_for_lock(int socket_fd)
{
        char last[BLOCKED_MAX] = "";
        uint64_t told = 0;

        while (flock(LEDGER_FD, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return -errno;
                if (now_usec() - told > TELL_USEC) {
                        tell_lock_wait(socket_fd, last);
                        told = now_usec();
                }
                pause_usec(LOCK_PAUSE_USEC);
        }
        return 0;
}

/* The first worker has the lock already: it came with the open file. A recovering one opened the
 * file anew and waits here until the old worker's last child has left the kernel; only then does
 * the ledger say everything, so it is read afterwards. */
static int take_lock(int socket_fd)
{
        if (flock(LEDGER_FD, LOCK_EX | LOCK_NB) == 0)
                return 0;
        if (errno != EWOULDBLOCK)
                return -errno;
        return wait_for_lock(socket_fd);
}

/* No page of ours may have to be read from a disk whose filesystem we have frozen. */
static void lock_memory(int socket_fd)
{
        if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
                tell(socket_fd, "complaint",
                        "memory could not be locked (LimitMEMLOCK=, CAP_IPC_LOCK)");
}

static int open_socket(void)
{
        int flags = fcntl(SOCKET_FD, F_GETFD);

        if (flags < 0)
                return -EBADF;
        /* Descriptors of the worker do not go to what it executes; what it forks keeps them. */
        (void)fcntl(SOCKET_FD, F_SETFD, flags | FD_CLOEXEC);
        return SOCKET_FD;
}

int worker_main(bool recover)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;
        Failure f = { 0 };
        int socket_fd = open_socket(), r;

        (void)signal(SIGPIPE, SIG_IGN);
        fault_role(recover ? "recovery" : "worker");
        (void)fault_point("start", "");
        /* The kernel takes it from the path, and that is /proc/self/exe. */
        (void)prctl(PR_SET_NAME, "pmr-worker");
        r = take_lock(socket_fd);
        if (r < 0)
                return EXIT_FAILURE;
        (void)fcntl(LEDGER_FD, F_SETFD, FD_CLOEXEC);
        r = ledger_open_fd(LEDGER_FD, policy_find_step, &l);
        if (r < 0) {
                tell(socket_fd, "complaint", "the ledger cannot be read");
                return EXIT_FAILURE;
        }
        lock_memory(socket_fd);
        if (privileges_lower(PRIVILEGES_WORKER, worker_privileges(l->plan)) < 0)
                tell(socket_fd, "complaint", "the worker keeps more privileges than it needs");
        r = recover ? run_recover(l, socket_fd, &f) : run_plan(l, socket_fd, &f);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
