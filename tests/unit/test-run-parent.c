/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a worker hears from its parent, and how it takes it when there is none any more: before the
 * commit point it stops at the very next question, after it nothing stops it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "run-internal.h"
#include "util/text.h"

static Plan *plan;
static Ledger ledger;
static int parent_fd; /* its end */

static Run new_run(void)
{
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        parent_fd = pair[0];
        return (Run){ .ledger = &ledger, .socket_fd = pair[1], .rung = 1 };
}

static void end_run(int fd)
{
        (void)close(fd);
        parent_fd = safe_close(parent_fd);
}

static void say(const char *line)
{
        assert_int_equal(send(parent_fd, line, strlen(line), 0), (ssize_t)strlen(line));
}

static const struct {
        const char *line;
        FailureKind kind;
        int err;
        const char *sentence;
} stops[] = {
        { "cancel reason=cancelled why=\"uid 1000 asked\"", FAILURE_CANCELLED, -ECANCELED,
                "the removal was cancelled (uid 1000 asked); everything was undone" },
        { "cancel reason=cancelled", FAILURE_CANCELLED, -ECANCELED,
                "the removal was cancelled; everything was undone" },
        { "cancel reason=timed-out", FAILURE_TIMED_OUT, -ETIMEDOUT,
                "the time allowed for this removal is over; everything was undone" },
        /* Of a daemon that is newer: a stop is a stop. */
        { "cancel reason=whatever", FAILURE_CANCELLED, -ECANCELED,
                "the removal was cancelled; everything was undone" },
        { "cancel", FAILURE_CANCELLED, -ECANCELED,
                "the removal was cancelled; everything was undone" },
};

static void test_stops(void **state)
{
        for (size_t i = 0; i < ELEMENTSOF(stops); i++) {
                Run run = new_run();
                int fd = run.socket_fd;
                Failure f = { 0 };

                assert_int_equal(run_check_cancel(&run, &f), 0);
                say("confirm");
                say("\"");
                say("nonsense of=others");
                say(stops[i].line);
                assert_int_equal(run_check_cancel(&run, &f), -ECANCELED);
                assert_int_equal(f.kind, stops[i].kind);
                assert_int_equal(f.err, stops[i].err);
                assert_string_equal(f.sentence, stops[i].sentence);
                /* It is not forgotten. */
                assert_int_equal(run_check_cancel(&run, NULL), -ECANCELED);
                end_run(fd);
        }
}

static void test_nothing_stops_what_is_committed(void **state)
{
        Run run = new_run();
        int fd = run.socket_fd;

        run.committed = true;
        assert_int_equal(run_cancel_fd(&run), -EBADF);
        say("cancel reason=cancelled");
        assert_int_equal(run_check_cancel(&run, NULL), 0);
        parent_fd = safe_close(parent_fd);
        assert_int_equal(run_check_cancel(&run, NULL), 0);
        assert_int_equal(run_wait_proceed(&run, USEC_INFINITY, NULL), -ENOTCONN);
        end_run(fd);
}

/* It dies with words of ours unread, as who dies suddenly does: the very next question, which may
 * be the one before the commit point, must find that out. */
static void test_parent_dies(void **state)
{
        for (unsigned unread = 0; unread < 3; unread++) {
                Run run = new_run();
                int fd = run.socket_fd;
                Failure f = { 0 };

                for (unsigned i = 0; i < unread; i++) {
                        _cleanup_(record_freep) Record *r = record_new("progress", "1");

                        run_tell(&run, r);
                }
                parent_fd = safe_close(parent_fd);
                assert_int_equal(run_check_cancel(&run, &f), -ECANCELED);
                assert_string_equal(f.sentence, "the daemon died; everything was undone");
                assert_int_equal(run_check_cancel(&run, NULL), -ECANCELED);
                end_run(fd);
        }
}

/* Its last words are heard although it left ours unread. */
static void test_last_words(void **state)
{
        Run run = new_run();
        int fd = run.socket_fd;
        _cleanup_(record_freep) Record *r = record_new("progress", "1");
        Failure f = { 0 };

        run_tell(&run, r);
        say("cancel reason=timed-out");
        parent_fd = safe_close(parent_fd);
        assert_int_equal(run_check_cancel(&run, &f), -ECANCELED);
        assert_int_equal(f.kind, FAILURE_TIMED_OUT);
        end_run(fd);
}

/* Told to look, and there is nothing any more to be looked at. */
static void test_vanished(void **state)
{
        Record *gone = record_new("vanished", "namespace0.0");
        Record *notes[] = { gone };
        Run run = new_run();
        int fd = run.socket_fd;
        Failure f = { 0 };

        say("look");
        assert_int_equal(run_check_cancel(&run, &f), 0);
        assert_int_equal(record_set(gone, "device", "namespace0.0"), 0);
        ledger.records = notes;
        ledger.n_records = 1;
        say("look");
        assert_int_equal(run_check_cancel(&run, &f), -ECANCELED);
        assert_int_equal(f.kind, FAILURE_VANISHED);
        ledger.records = NULL;
        ledger.n_records = 0;
        (void)record_free(gone);
        end_run(fd);
}

static void test_words_are_waited_for(void **state)
{
        Run run = new_run();
        int fd = run.socket_fd, status;
        Failure f = { 0 };
        pid_t pid;

        assert_int_equal(run_wait_proceed(&run, now_usec() + 20 * USEC_PER_MSEC, &f), -ETIMEDOUT);
        assert_int_equal(f.kind, FAILURE_NONE);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                pause_usec(50 * USEC_PER_MSEC);
                say("proceed");
                say("confirm");
                _exit(0);
        }
        assert_int_equal(run_wait_proceed(&run, USEC_INFINITY, &f), 0);
        assert_int_equal(run_wait_confirm(&run, &f), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        end_run(fd);
}

static const struct {
        const char *line; /* NULL: it dies */
        FailureKind kind;
        const char *sentence;
} refusals[] = {
        { "cancel reason=timed-out", FAILURE_TIMED_OUT,
                "nobody confirmed in time; everything was undone" },
        { "cancel reason=cancelled", FAILURE_CANCELLED,
                "the removal was cancelled; everything was undone" },
        { NULL, FAILURE_CANCELLED, "the daemon died; everything was undone" },
};

static void test_not_confirmed(void **state)
{
        for (size_t i = 0; i < ELEMENTSOF(refusals); i++) {
                Run run = new_run();
                int fd = run.socket_fd;
                Failure f = { 0 };

                if (refusals[i].line)
                        say(refusals[i].line);
                else
                        parent_fd = safe_close(parent_fd);
                assert_int_equal(run_wait_confirm(&run, &f), -ECANCELED);
                assert_int_equal(f.kind, refusals[i].kind);
                assert_string_equal(f.sentence, refusals[i].sentence);
                end_run(fd);
        }
}

/* Started by hand on a ledger: nobody will ever say a word. */
static void test_no_parent(void **state)
{
        Run run = { .ledger = &ledger, .socket_fd = -EBADF, .rung = 1 };
        Failure f = { 0 };

        assert_int_equal(run_check_cancel(&run, &f), 0);
        assert_int_equal(run_wait_proceed(&run, USEC_INFINITY, &f), -ENOTCONN);
        assert_int_equal(run_wait_confirm(&run, &f), -ECANCELED);
        assert_string_equal(f.sentence, "nobody is left who could confirm");
}

/* A parent that is stopped must not keep a filesystem frozen. */
static void test_telling_never_waits(void **state)
{
        Run run = new_run();
        int fd = run.socket_fd;
        _cleanup_(record_freep) Record *r = record_new("progress", "1");
        char line[64] = "";

        for (unsigned i = 0; i < 100000; i++)
                run_tell(&run, r);
        assert_true(recv(parent_fd, line, sizeof(line) - 1, 0) > 0);
        assert_string_equal(line, "progress 1");
        end_run(fd);
}

static int setup(void **state)
{
        plan = plan_new();
        ledger = (Ledger){ .fd = -EBADF, .plan = plan };
        return plan ? 0 : -1;
}

static int teardown(void **state)
{
        (void)plan_free(plan);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stops),
                cmocka_unit_test(test_nothing_stops_what_is_committed),
                cmocka_unit_test(test_parent_dies),
                cmocka_unit_test(test_last_words),
                cmocka_unit_test(test_vanished),
                cmocka_unit_test(test_words_are_waited_for),
                cmocka_unit_test(test_not_confirmed),
                cmocka_unit_test(test_no_parent),
                cmocka_unit_test(test_telling_never_waits),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
