/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a process sleeps in the kernel. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker-blocked.h"

static void test_alive(void **state)
{
        char buf[64];

        /* We run, so we do not sleep. */
        assert_false(worker_blocked_text(getpid(), buf, sizeof(buf)));
}

static pid_t stopped_child(void)
{
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                /* A failed test does not come to end_child(). */
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)raise(SIGSTOP);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        return pid;
}

static void end_child(pid_t pid)
{
        int status;

        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* Somebody stopped has our file open under our number; with another file there he is nobody. */
static void test_holder(void **state)
{
        int fd = memfd_create("one", 0), other = memfd_create("two", 0);
        pid_t pid = stopped_child();
        char buf[64] = "";

        assert_true(fd >= 0 && other >= 0);
        assert_true(worker_blocked_holder(fd, buf, sizeof(buf)));
        assert_non_null(strstr(buf, "stopped"));
        assert_int_equal(dup2(other, fd), fd);
        assert_false(worker_blocked_holder(fd, buf, sizeof(buf)));
        end_child(pid);
        (void)close(fd);
        (void)close(other);
}

/* As a ledger is made: unnamed first. Who has it from its maker is found by who opened its name. */
static void test_holder_of_unnamed(void **state)
{
        char dir[] = "/tmp/test-worker-blocked.XXXXXX", path[64], self[64], buf[64] = "";
        int fd, named;
        pid_t pid;

        assert_non_null(mkdtemp(dir));
        (void)snprintf(path, sizeof(path), "%s/1", dir);
        fd = open(dir, O_TMPFILE | O_RDWR, 0600);
        assert_true(fd >= 0);
        (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
        assert_int_equal(linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW), 0);
        pid = stopped_child();
        named = open(path, O_RDWR);
        assert_true(named >= 0);
        assert_int_equal(dup2(named, fd), fd);
        assert_true(worker_blocked_holder(fd, buf, sizeof(buf)));
        assert_non_null(strstr(buf, "stopped"));
        end_child(pid);
        (void)close(named);
        (void)close(fd);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alive),
                cmocka_unit_test(test_holder),
                cmocka_unit_test(test_holder_of_unnamed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
