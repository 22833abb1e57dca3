/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a guardian, with a descriptor that cannot be frozen: every FITHAW answers ENOTTY,
 * which is final. That it really thaws is shown in the lab. */

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "sys/guardian.h"
#include "sys/sysfs.h"

/* The address sanitizer turns mlockall(2) into nothing. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

static int fs_fd = -EBADF;
static pid_t only_poller; /* 0: everybody may wait */

int __real_poll(struct pollfd *p, nfds_t n, int timeout_ms);
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout_ms);
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout_ms)
{
        if (only_poller == 0 || getpid() == only_poller)
                return __real_poll(p, n, timeout_ms);
        errno = ENOMEM;
        return -1;
}

/* A worker of our own that starts a guardian and then does what we tell it by closing its pipe. */
typedef struct Worker {
        pid_t pid, guardian;
        int guardian_fd; /* pidfd */
        int control;
} Worker;

static void __attribute__((noreturn))
worker_run(int report, int control, uint64_t deadline, pid_t freezer)
{
        Guardian g = GUARDIAN_INIT;
        char c;

        if (guardian_start(&g, fs_fd, deadline, NULL) < 0)
                _exit(1);
        if (freezer > 0 && guardian_freezer(&g, freezer) < 0)
                _exit(2);
        if (write(report, &g.pid, sizeof(g.pid)) != sizeof(g.pid))
                _exit(3);
        if (read(control, &c, 1) == 1)
                guardian_release(&g);
        _exit(0);
}

static Worker worker_start(uint64_t deadline, pid_t freezer)
{
        int report[2], control[2];
        Worker w = { 0 };

        assert_int_equal(pipe(report), 0);
        assert_int_equal(pipe(control), 0);
        w.pid = fork();
        assert_true(w.pid >= 0);
        if (w.pid == 0) {
                close(control[1]);
                worker_run(report[1], control[0], deadline, freezer);
        }
        close(report[1]);
        close(control[0]);
        w.control = control[1];
        assert_int_equal(read(report[0], &w.guardian, sizeof(w.guardian)), sizeof(w.guardian));
        close(report[0]);
        w.guardian_fd = (int)syscall(SYS_pidfd_open, w.guardian, 0);
        assert_true(w.guardian_fd >= 0);
        return w;
}

static void worker_end(Worker *w)
{
        int status;

        w->control = safe_close(w->control);
        assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
        assert_int_equal(status, 0);
}

static int guardian_gone(const Worker *w, int timeout_ms)
{
        return poll(&(struct pollfd){ .fd = w->guardian_fd, .events = POLLIN }, 1, timeout_ms);
}

static void test_release(void **state)
{
        Worker w = worker_start(USEC_INFINITY, 0);

        assert_int_equal(guardian_gone(&w, 100), 0);
        assert_int_equal(write(w.control, "r", 1), 1);
        worker_end(&w);
        /* The worker has reaped it, so it was gone before the worker's end. */
        assert_int_equal(guardian_gone(&w, 0), 1);
        close(w.guardian_fd);
}

/* It would keep a descriptor of the filesystem, which has to be unmounted next. */
static void test_release_stopped(void **state)
{
        Worker w = worker_start(USEC_INFINITY, 0);

        assert_int_equal(kill(w.guardian, SIGSTOP), 0);
        assert_int_equal(write(w.control, "r", 1), 1);
        worker_end(&w);
        assert_int_equal(guardian_gone(&w, 0), 1);
        close(w.guardian_fd);
}

/* What its worker's successor reads. */
static void test_note(void **state)
{
        char dir[] = "/tmp/test-guardian.XXXXXX";
        Guardian g = GUARDIAN_INIT;
        FrostNote *note = NULL, read = { 0 };
        uint64_t begun = now_usec();
        struct pollfd p = { .events = POLLIN };

        assert_non_null(mkdtemp(dir));
        assert_int_equal(frost_note_read(dir, "pmem0", &read), -ENOENT);
        assert_int_equal(frost_note_make(dir, "pmem0", &note), 0);
        assert_int_equal(frost_note_read(dir, "pmem0", &read), 0);
        assert_int_equal(read.thawed_usec, 0);
        assert_int_equal(guardian_start(&g, fs_fd, 0, note), 0);
        frost_note_unmap(note);
        p.fd = g.pipe_fd;
        assert_int_equal(poll(&p, 1, 30000), 1);
        guardian_release(&g);
        assert_int_equal(frost_note_read(dir, "pmem0", &read), 0);
        assert_true(read.thawed_usec >= begun && read.thawed_usec <= now_usec());
        assert_int_equal(read.not_ours, 0);
        assert_int_equal(frost_note_make(dir, "pmem0", &note), 0);
        assert_int_equal(note->thawed_usec, 0);
        frost_note_unmap(note);
        frost_note_remove(dir, "pmem0");
        assert_int_equal(rmdir(dir), 0);
}

static void test_dismissed(void **state)
{
        Guardian g = GUARDIAN_INIT;
        struct pollfd p = { .events = POLLIN };

        assert_int_equal(guardian_start(&g, fs_fd, USEC_INFINITY, NULL), 0);
        guardian_dismiss(&g);
        p.fd = g.pipe_fd;
        assert_int_equal(poll(&p, 1, 30000), 1);
        assert_int_equal(guardian_check(&g), -EOWNERDEAD);
        guardian_release(&g);
}

/* Where the filter of its calls knows another poll(2) than libc, or the kernel has no memory. */
static void test_cannot_wait(void **state)
{
        Guardian g = GUARDIAN_INIT;
        struct pollfd p = { .events = POLLIN };
        int closed, said;

        only_poller = getpid();
        assert_int_equal(guardian_start(&g, fs_fd, USEC_INFINITY, NULL), 0);
        p.fd = g.pipe_fd;
        closed = poll(&p, 1, 10000);
        said = guardian_check(&g);
        guardian_release(&g);
        only_poller = 0;
        assert_int_equal(closed, 1);
        assert_int_equal(said, -EOWNERDEAD);
}

static void test_release_empty(void **state)
{
        Guardian g = GUARDIAN_INIT;

        guardian_release(&g);
        assert_int_equal(g.pid, 0);
}

static void test_death_of_worker(void **state)
{
        Worker w = worker_start(USEC_INFINITY, 0);

        assert_int_equal(kill(w.pid, SIGKILL), 0);
        assert_int_equal(waitpid(w.pid, NULL, 0), w.pid);
        assert_int_equal(guardian_gone(&w, 30000), 1);
        close(w.control);
        close(w.guardian_fd);
}

/* Past its deadline it has tried to thaw but stays: somebody could still freeze. */
static void test_stays_after_deadline(void **state)
{
        Worker w = worker_start(0, 0);

        assert_int_equal(guardian_gone(&w, 200), 0);
        worker_end(&w);
        assert_int_equal(guardian_gone(&w, 30000), 1);
        close(w.guardian_fd);
}

/* Time in which the machine sleeps counts: 7 is CLOCK_BOOTTIME. */
static void test_deadline_outlasts_sleep(void **state)
{
        Worker w = worker_start(usec_add(now_usec(), 3600 * USEC_PER_SEC), 0);
        _cleanup_(freep) char *dir = string_printf("/proc/%d/fdinfo", w.guardian);
        _cleanup_(strv_freep) char **names = NULL;
        size_t timers = 0;

        assert_int_equal(sysfs_list(dir, &names), 0);
        for (char **n = names; *n; n++) {
                _cleanup_(freep) char *path = string_printf("%s/%s", dir, *n), *text = NULL;

                assert_int_equal(read_full_file(path, 65536, &text, NULL), 0);
                timers += strstr(text, "clockid: 7") != NULL;
        }
        assert_int_equal(timers, 1);
        worker_end(&w);
        assert_int_equal(guardian_gone(&w, 30000), 1);
        close(w.guardian_fd);
}

/* What the worker asks before it passes the point of no return. */
static void test_check(void **state)
{
        Guardian g = GUARDIAN_INIT;
        struct pollfd p = { .events = POLLIN };

        assert_int_equal(guardian_start(&g, fs_fd, USEC_INFINITY, NULL), 0);
        assert_int_equal(guardian_check(&g), 0);
        assert_int_equal(kill(g.pid, SIGKILL), 0);
        p.fd = g.pipe_fd;
        assert_int_equal(poll(&p, 1, 30000), 1);
        assert_int_equal(guardian_check(&g), -EOWNERDEAD);
        guardian_release(&g);

        /* Also with a word of ours unread. */
        assert_int_equal(guardian_start(&g, fs_fd, USEC_INFINITY, NULL), 0);
        assert_int_equal(kill(g.pid, SIGSTOP), 0);
        assert_int_equal(guardian_freezer(&g, getpid()), 0);
        assert_int_equal(kill(g.pid, SIGKILL), 0);
        p.fd = g.pipe_fd;
        assert_int_equal(poll(&p, 1, 30000), 1);
        assert_int_equal(guardian_check(&g), -EOWNERDEAD);
        guardian_release(&g);

        assert_int_equal(guardian_start(&g, fs_fd, 0, NULL), 0);
        p.fd = g.pipe_fd;
        assert_int_equal(poll(&p, 1, 30000), 1);
        assert_int_equal(guardian_check(&g), -ETIMEDOUT);
        assert_int_equal(guardian_check(&g), -ETIMEDOUT);
        guardian_release(&g);
}

static void test_waits_for_freezer(void **state)
{
        pid_t freezer = fork();
        Worker w;

        assert_true(freezer >= 0);
        if (freezer == 0)
                for (;;)
                        (void)pause();
        w = worker_start(USEC_INFINITY, freezer);
        worker_end(&w);
        assert_int_equal(guardian_gone(&w, 200), 0);
        assert_int_equal(kill(freezer, SIGKILL), 0);
        assert_int_equal(guardian_gone(&w, 30000), 1);
        assert_int_equal(waitpid(freezer, NULL, 0), freezer);
        close(w.guardian_fd);
}

static uint64_t status_field(pid_t pid, const char *name, int base)
{
        _cleanup_(freep) char *text = NULL, *path = string_printf("/proc/%d/status", pid);
        _cleanup_(freep) char *key = string_printf("\n%s:", name);
        const char *found;

        assert_int_equal(read_full_file(path, 65536, &text, NULL), 0);
        found = strstr(text, key);
        assert_non_null(found);
        return strtoull(found + strlen(key), NULL, base);
}

static void test_detached(void **state)
{
        Worker w = worker_start(USEC_INFINITY, 0);
        _cleanup_(freep) char *dir = string_printf("/proc/%d", w.guardian);
        _cleanup_(freep) char *fds = string_printf("/proc/%d/fd", w.guardian);
        _cleanup_(strv_freep) char **names = NULL;
        uint64_t blocked = status_field(w.guardian, "SigBlk", 16);
        char comm[32];

        assert_int_equal(sysfs_read(dir, "comm", comm, sizeof(comm)), 0);
        assert_string_equal(comm, "pmr-guardian");
        assert_int_equal(getsid(w.guardian), w.guardian);
        assert_int_equal(sysfs_list(fds, &names), 0);
        assert_int_equal(strv_length(names), 2);
        assert_true(blocked & UINT64_C(1) << (SIGTERM - 1));
        assert_true(blocked & UINT64_C(1) << (SIGINT - 1));
        assert_true(blocked & UINT64_C(1) << (SIGHUP - 1));
#ifndef SANITIZED
        assert_true(status_field(w.guardian, "VmLck", 10) > 0);
#endif
        worker_end(&w);
        assert_int_equal(guardian_gone(&w, 30000), 1);
        close(w.guardian_fd);
}

/* Without CAP_IPC_LOCK there may be no guardian at all, and then nothing may be frozen either. */
static int setup(void **state)
{
        Guardian g = GUARDIAN_INIT;

        fs_fd = memfd_create("test-guardian", MFD_CLOEXEC);
        if (fs_fd < 0)
                return -1;
        if (guardian_start(&g, fs_fd, USEC_INFINITY, NULL) < 0) {
                (void)fprintf(stderr, "memory cannot be locked here\n");
                _exit(77);
        }
        guardian_release(&g);
        return 0;
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_release),
                cmocka_unit_test(test_release_stopped),
                cmocka_unit_test(test_note),
                cmocka_unit_test(test_dismissed),
                cmocka_unit_test(test_cannot_wait),
                cmocka_unit_test(test_release_empty),
                cmocka_unit_test(test_death_of_worker),
                cmocka_unit_test(test_stays_after_deadline),
                cmocka_unit_test(test_deadline_outlasts_sleep),
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_waits_for_freezer),
                cmocka_unit_test(test_detached),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
