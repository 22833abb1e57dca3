/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon's half of a worker: whatever runs short, there is either no process at all or one
 * whose records and whose end are noticed. This program is also the worker (--run), and does what
 * TEST_WORKER= says. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "util/text.h"
#include "worker.h"

#define SOCKET_FD 4

static unsigned watch_fails; /* so often */
static Worker *worker;
static unsigned n_records, n_ends;
static char last_verb[64], end[128];

int __real_sd_event_add_child(sd_event *e, sd_event_source **ret, pid_t pid, int options,
        sd_event_child_handler_t callback, void *userdata);
int __wrap_sd_event_add_child(sd_event *e, sd_event_source **ret, pid_t pid, int options,
        sd_event_child_handler_t callback, void *userdata);

int __wrap_sd_event_add_child(sd_event *e, sd_event_source **ret, pid_t pid, int options,
        sd_event_child_handler_t callback, void *userdata)
{
        if (watch_fails > 0) {
                watch_fails--;
                return -EMFILE;
        }
        return __real_sd_event_add_child(e, ret, pid, options, callback, userdata);
}

static void on_record(const Record *r, void *userdata)
{
        n_records++;
        (void)snprintf(last_verb, sizeof(last_verb), "%s", r->verb);
}

static void on_blocked(const char *text, void *userdata)
{
}

static void on_exited(const char *status, void *userdata)
{
        n_ends++;
        (void)snprintf(end, sizeof(end), "%s", status);
        worker = worker_free(worker);
}

static const WorkerOps ops = { .record = on_record, .blocked = on_blocked, .exited = on_exited };

static int start(sd_event *event, const char *what)
{
        _cleanup_(closep) int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        Ledger l = { .fd = fd };

        n_records = n_ends = 0;
        *end = *last_verb = '\0';
        assert_int_equal(setenv("TEST_WORKER", what, true), 0);
        return fd < 0 ? -errno : worker_spawn(event, &l, false, &ops, NULL, &worker);
}

static void live(sd_event *event)
{
        for (unsigned i = 0; i < 1000 && n_ends == 0; i++)
                assert_true(sd_event_run(event, 10 * USEC_PER_SEC) >= 0);
        assert_int_equal(n_ends, 1);
        assert_null(worker);
}

static void assert_no_child(void)
{
        assert_true(waitpid(-1, NULL, WNOHANG) < 0);
        assert_int_equal(errno, ECHILD);
}

static sd_event *new_event(void)
{
        sd_event *event;

        assert_int_equal(sd_event_new(&event), 0);
        return event;
}

static void test_says_and_ends(void **state)
{
        sd_event *event = new_event();

        assert_int_equal(start(event, "say"), 0);
        live(event);
        assert_string_equal(last_verb, "begin");
        assert_string_equal(end, "exit status 7");
        assert_no_child();

        assert_int_equal(start(event, "die"), 0);
        live(event);
        assert_string_equal(end, "killed by SIGKILL");
        assert_no_child();
        sd_event_unref(event);
}

/* Words that are none, or too many, are the worker's fault and do not take the daemon with them. */
static void test_nonsense(void **state)
{
        sd_event *event = new_event();

        assert_int_equal(start(event, "babble"), 0);
        live(event);
        assert_int_equal(n_records, 1);
        assert_string_equal(last_verb, "begin");
        sd_event_unref(event);
}

/* It runs, and there is no descriptor for its pidfd: what it says is heard, and its end too. */
static void test_watched_later(void **state)
{
        sd_event *event = new_event();

        watch_fails = 3;
        assert_int_equal(start(event, "say"), 0);
        live(event);
        assert_int_equal(watch_fails, 0);
        assert_int_equal(n_records, 1);
        assert_string_equal(end, "exit status 7");
        assert_no_child();
        sd_event_unref(event);
}

/* Given up before it could be watched. */
static void test_never_watched(void **state)
{
        sd_event *event = new_event();
        siginfo_t si;

        watch_fails = 1;
        assert_int_equal(start(event, "say"), 0);
        assert_int_equal(waitid(P_ALL, 0, &si, WEXITED | WNOWAIT), 0);
        worker = worker_free(worker);
        assert_no_child();
        sd_event_unref(event);
}

static int lowest_free_fd(void)
{
        _cleanup_(closep) int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

        return fd;
}

/* With each number of free descriptors from none to enough. */
static void test_few_descriptors(void **state)
{
        sd_event *event = new_event();
        int base = lowest_free_fd();
        unsigned failed = 0, n = 0;
        struct rlimit old, few;

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
        while (n_ends == 0) {
                int r;

                few = (struct rlimit){ .rlim_cur = (rlim_t)base + n++, .rlim_max = old.rlim_max };
                assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
                r = start(event, "say");
                if (r == 0)
                        live(event);
                failed += r < 0;
                assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
                assert_true(r == 0 || r == -EMFILE);
                assert_no_child();
                assert_int_equal(lowest_free_fd(), base);
        }
        assert_string_equal(end, "exit status 7");
        assert_true(failed >= 4);
        sd_event_unref(event);
}

/* It leaves without having read what it was told: what it said first still counts. */
static void test_does_not_listen(void **state)
{
        sd_event *event = new_event();
        siginfo_t si;

        assert_int_equal(start(event, "ignore"), 0);
        assert_int_equal(worker_tell(worker, "cancel reason=cancelled"), 0);
        assert_int_equal(waitid(P_ALL, 0, &si, WEXITED | WNOWAIT), 0);
        worker_hear(worker);
        assert_int_equal(n_records, 1);
        live(event);
        sd_event_unref(event);
}

/* Its last word is enough: it is not waited for, and reaped all the same. */
static void test_does_not_leave(void **state)
{
        sd_event *event = new_event();

        assert_int_equal(start(event, "stay"), 0);
        live(event);
        assert_string_equal(last_verb, "finished");
        assert_string_equal(end, "finished, but its process does not leave the kernel");
        /* Its socket is closed now, which is what it waited for. */
        for (unsigned i = 0; i < 1000 && waitid(P_ALL, 0, NULL, WEXITED | WNOWAIT | WNOHANG) == 0;
                i++)
                assert_true(sd_event_run(event, USEC_PER_SEC) >= 0);
        assert_no_child();
        sd_event_unref(event);
}

static void test_is_told(void **state)
{
        sd_event *event = new_event();

        assert_int_equal(worker_tell(NULL, "cancel"), -ENOTCONN);
        worker_hear(NULL);
        assert_int_equal(start(event, "echo"), 0);
        assert_int_equal(worker_tell(worker, "confirm"), 0);
        live(event);
        assert_string_equal(last_verb, "confirm");
        sd_event_unref(event);
}

/* --- the worker --- */

static void say(const char *line)
{
        (void)send(SOCKET_FD, line, strlen(line), MSG_NOSIGNAL);
}

static void babble(void)
{
        static char much[20000];

        memset(much, 'x', sizeof(much) - 1);
        say(much);
        say("\"");
        say("begin 1");
}

/* Or for the end of who would say it; what is said is not read. */
static void wait_for_word(void)
{
        struct pollfd p = { .fd = SOCKET_FD, .events = POLLIN };

        (void)poll(&p, 1, 60 * 1000);
}

static void echo(void)
{
        char line[64] = "";

        if (recv(SOCKET_FD, line, sizeof(line) - 1, 0) > 0)
                say(line);
}

static int be_worker(void)
{
        const char *what = strempty(getenv("TEST_WORKER"));

        if (streq(what, "say"))
                say("begin 1 step=turn");
        if (streq(what, "ignore")) {
                wait_for_word();
                say("begin 1 step=turn");
        }
        if (streq(what, "die"))
                (void)raise(SIGKILL);
        if (streq(what, "babble"))
                babble();
        if (streq(what, "echo"))
                echo();
        if (streq(what, "stay")) {
                say("finished result=done");
                wait_for_word();
        }
        return 7;
}

static int setup(void **state)
{
        sigset_t set;

        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGCHLD);
        return sigprocmask(SIG_BLOCK, &set, NULL);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_says_and_ends),
                cmocka_unit_test(test_nonsense),
                cmocka_unit_test(test_watched_later),
                cmocka_unit_test(test_never_watched),
                cmocka_unit_test(test_few_descriptors),
                cmocka_unit_test(test_does_not_listen),
                cmocka_unit_test(test_does_not_leave),
                cmocka_unit_test(test_is_told),
        };

        if (argc > 1 && streq(argv[1], "--run"))
                return be_worker();
        return cmocka_run_group_tests(tests, setup, NULL);
}
