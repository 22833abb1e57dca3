/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What each part of the program keeps, asked of the kernel in a process that has lowered itself. */

#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "plan.h"
#include "sys/privileges.h"
#include "util/text.h"
#include "worker-privileges.h"

static uint64_t status_field(const char *name)
{
        _cleanup_(freep) char *text = NULL;
        const char *found;

        if (read_full_file("/proc/self/status", 65536, &text, NULL) < 0)
                _exit(100);
        found = strstr(text, name);
        return found ? strtoull(found + strlen(name), NULL, 16) : 0;
}

/* 0 when all is as it must be; each program of this table runs in a child of its own. */
static int as_planner(void)
{
        uint64_t all = status_field("\nCapPrm:\t");

        if (privileges_lower(PRIVILEGES_PLANNER, 0) < 0)
                return 1;
        if (status_field("\nCapEff:\t") != status_field("\nCapPrm:\t"))
                return 2;
        if (privileges_held(PRIVILEGE(CAP_KILL)) || privileges_held(PRIVILEGE(CAP_MKNOD)))
                return 3;
        if (!privileges_held(all & PRIVILEGE(CAP_SYS_PTRACE)))
                return 4;
        /* What it may not do itself, a worker still may. */
        if (all & PRIVILEGE(CAP_KILL) && !privileges_within_reach(PRIVILEGE(CAP_KILL)))
                return 5;
        if (mount("none", "/nowhere", "tmpfs", 0, NULL) == 0 || errno != EPERM)
                return 6;
        if (umount2("/nowhere", UMOUNT_NOFOLLOW) == 0 || errno != EPERM)
                return 7;
        /* How it is asked whether a mount is in use. */
        if (umount2("/nowhere", MNT_EXPIRE | UMOUNT_NOFOLLOW) == 0 || errno != ENOENT)
                return 8;
        return access("/proc/self", R_OK) == 0 ? 0 : 9;
}

static int as_guardian(void)
{
        int zero;

        if (privileges_lower(PRIVILEGES_GUARDIAN, 0) < 0)
                return 1;
        if (open("/proc/self/status", O_RDONLY | O_CLOEXEC) >= 0 || errno != EPERM)
                return 2;
        if (fork() >= 0)
                return 3;
        /* The thaw itself: not refused, only wrong for this descriptor. */
        if (ioctl(STDIN_FILENO, FITHAW, &zero) >= 0 || errno == EPERM)
                return 4;
        return 0;
}

static int as_daemon(void)
{
        uint64_t all = status_field("\nCapPrm:\t");

        if (privileges_lower(PRIVILEGES_DAEMON, 0) < 0)
                return 1;
        if (privileges_held(PRIVILEGE(CAP_KILL)))
                return 2;
        /* Or no worker would have them. */
        return status_field("\nCapPrm:\t") == all ? 0 : 3;
}

static int as_worker(void)
{
        if (privileges_lower(PRIVILEGES_WORKER, PRIVILEGE(CAP_MKNOD)) < 0)
                return 1;
        if (privileges_held(PRIVILEGE(CAP_CHOWN)) || privileges_held(PRIVILEGE(CAP_SETFCAP)))
                return 2;
        if (privileges_within_reach(PRIVILEGE(CAP_MKNOD)) && !privileges_held(PRIVILEGE(CAP_MKNOD)))
                return 3;
        return status_field("\nCapInh:\t") == 0 ? 0 : 4;
}

/* From what the daemon has left, where CHROOT is not in force any more. */
static int as_cleaner(void)
{
        uint64_t all = status_field("\nCapPrm:\t");

        if (privileges_lower(PRIVILEGES_DAEMON, 0) < 0 ||
                privileges_lower(PRIVILEGES_CLEANER, 0) < 0)
                return 1;
        if (!privileges_held(all & (PRIVILEGE(CAP_SYS_CHROOT) | PRIVILEGE(CAP_SYS_ADMIN))))
                return 2;
        if (status_field("\nCapEff:\t") != status_field("\nCapPrm:\t"))
                return 3;
        return privileges_held(PRIVILEGE(CAP_KILL)) ? 4 : 0;
}

static void run_in_child(int (*fn)(void))
{
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(fn());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_roles(void **state)
{
        static int (*const roles[])(
                void) = { as_daemon, as_planner, as_cleaner, as_worker, as_guardian };

        for (size_t i = 0; i < ELEMENTSOF(roles); i++)
                run_in_child(roles[i]);
}

static uint64_t needs_of(const StepOps *ops, const char *line)
{
        _cleanup_(plan_freep) Plan *p = plan_new();
        Record *args = NULL;

        assert_non_null(p);
        assert_int_equal(record_parse(line, &args), 0);
        assert_int_equal(plan_add_step(p, ops, 1, args), 0);
        return worker_privileges(p);
}

static void test_plans(void **state)
{
        assert_true(needs_of(&step_unmount, "step /m op=unmount fstype=xfs") == 0);
        assert_true(needs_of(&step_unmount, "step /m op=unmount fstype=overlay") &
                    PRIVILEGE(CAP_SETFCAP));
        assert_true(needs_of(&step_stop, "step md0 op=stop") & PRIVILEGE(CAP_MKNOD));
        assert_true(needs_of(&step_unbind, "step namespace0.0 op=unbind") == 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_roles),
                cmocka_unit_test(test_plans),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
