/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ladder of signals on real processes: who is asked, who is left alone, who is awaited. The
 * steps, the engine and the ledger are the real ones; the filesystem is a tmpfs that nobody else
 * has, because whoever holds it is signalled. */

#include "fixture.h"

#include <inttypes.h>
#include <sys/socket.h>

#include "policy.h"
#include "run.h"
#include "sys/proc.h"
#include "util/text.h"

#define LIFE_SECONDS 120
/* Longer than any test: a wait that takes it to its end has failed. */
#define LONG "3600000000"
#define SHORT "300000"

static bool have_scratch;
static char dir[] = "/dev/shm/pmemremoved-test-XXXXXX";

typedef enum Manners {
        OBEYS_TERM,
        OBEYS_INT,
        OBEYS_KILL,
        LETS_GO,    /* at SIGTERM, and lives on */
        HOLDS_NONE, /* from the beginning */
} Manners;

static int held_fd = -1;

static void let_go(int sig)
{
        (void)close(held_fd);
}

static _Noreturn void be(Manners manners, int ready_fd)
{
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGTERM, manners == OBEYS_TERM ? SIG_DFL : SIG_IGN);
        (void)signal(SIGINT, manners == OBEYS_INT ? SIG_DFL : SIG_IGN);
        if (manners == LETS_GO)
                (void)signal(SIGTERM, let_go);
        if (manners != HOLDS_NONE)
                held_fd = open(SCRATCH "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        (void)alarm(LIFE_SECONDS);
        if (write(ready_fd, "", 1) != 1)
                _exit(1);
        for (;;)
                (void)pause();
}

static pid_t start(Manners manners)
{
        int ready[2];
        pid_t pid;
        char c;

        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                be(manners, ready[1]);
        (void)close(ready[1]);
        assert_int_equal(read(ready[0], &c, 1), 1);
        (void)close(ready[0]);
        return pid;
}

/* The signal that ended it, 0: it lives. */
static int end_of(pid_t pid)
{
        int status, r = waitpid(pid, &status, WNOHANG);

        assert_true(r >= 0);
        return r == 0 ? 0 : WTERMSIG(status);
}

static void stop(pid_t pid)
{
        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* --- a plan of nothing but signals --- */

typedef struct World {
        Request *request;
        Plan *plan;
        Ledger *ledger;
        int socket_fd; /* the worker's */
        int parent_fd;
} World;

static int setup(void **state)
{
        World *w = calloc(1, sizeof(*w));
        int pair[2];

        assert_non_null(w);
        w->request = request_new();
        w->plan = plan_new();
        assert_int_equal(free_and_strdup(&w->request->target, "namespace0.0"), 0);
        w->plan->target = record_new("target", "namespace0.0");
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        w->socket_fd = pair[0];
        w->parent_fd = pair[1];
        *state = w;
        return 0;
}

static int teardown(void **state)
{
        World *w = *state;

        if (w->ledger)
                (void)unlink(w->ledger->path);
        ledger_free(w->ledger);
        request_free(w->request);
        plan_free(w->plan);
        (void)close(w->socket_fd);
        (void)close(w->parent_fd);
        free(w);
        return 0;
}

static void add_process(World *w, pid_t pid)
{
        char name[16];
        Record *r;
        uint64_t since;

        (void)snprintf(name, sizeof(name), "%d", pid);
        assert_int_equal(proc_start_time(pid, &since), 0);
        r = record_new("process", name);
        assert_int_equal(record_setf(r, "start", "%" PRIu64, since), 0);
        assert_int_equal(record_set(r, "comm", "victim"), 0);
        assert_int_equal(plan_add_process(w->plan, r), 0);
}

static Record *add_signal(World *w, const char *sig, const char *wait)
{
        Record *r = record_new("step", NULL);
        char dev[DEVNUM_MAX];
        struct stat st;

        assert_int_equal(stat(SCRATCH, &st), 0);
        assert_int_equal(record_set(r, "op", "signal"), 0);
        assert_int_equal(record_set(r, "signal", sig), 0);
        assert_int_equal(record_set(r, "wait", wait), 0);
        assert_int_equal(record_set(r, "devs", format_devnum(dev, st.st_dev)), 0);
        if (w->plan->n_steps > 0)
                assert_int_equal(record_set(r, "newcomers", "yes"), 0);
        assert_int_equal(plan_add_step(w->plan, policy_find_step("signal"), 0, r), 0);
        return r;
}

static int run(World *w, Failure *f)
{
        assert_int_equal(plan_seal(w->plan), 0);
        assert_int_equal(ledger_create(dir, w->request, w->plan, &w->ledger), 0);
        (void)alarm(LIFE_SECONDS / 2);
        return run_plan(w->ledger, w->socket_fd, f);
}

/* How many records there are with this verb, name and key=value (NULL: any). */
static unsigned said(
        const World *w, const char *verb, pid_t pid, const char *key, const char *value)
{
        unsigned n = 0;
        char name[16];

        (void)snprintf(name, sizeof(name), "%d", pid);
        for (size_t i = 0; i < w->ledger->n_records; i++) {
                const Record *r = w->ledger->records[i];

                n += streq(r->verb, verb) && streq(strempty(r->name), name) &&
                     (!key || streq(strempty(record_get(r, key)), strempty(value)));
        }
        return n;
}

/* --- tests --- */

static void test_ladder(void **state)
{
        World *w = *state;
        Failure f = { 0 };
        pid_t first, second, last, gentle;

        if (!have_scratch)
                skip();
        add_process(w, first = start(OBEYS_TERM));
        add_process(w, second = start(OBEYS_INT));
        add_process(w, last = start(OBEYS_KILL));
        add_process(w, gentle = start(LETS_GO));
        (void)add_signal(w, "SIGTERM", SHORT);
        (void)add_signal(w, "SIGINT", SHORT);
        (void)add_signal(w, "SIGKILL", LONG);
        assert_int_equal(run(w, &f), 0);

        assert_int_equal(end_of(first), SIGTERM);
        assert_int_equal(end_of(second), SIGINT);
        assert_int_equal(end_of(last), SIGKILL);
        assert_int_equal(end_of(gentle), 0);
        assert_int_equal(said(w, "signalled", first, NULL, NULL), 1);
        assert_int_equal(said(w, "left", first, "signal", "SIGTERM"), 1);
        assert_int_equal(said(w, "signalled", second, NULL, NULL), 2);
        assert_int_equal(said(w, "left", second, "signal", "SIGINT"), 1);
        assert_int_equal(said(w, "signalled", last, NULL, NULL), 2);
        assert_int_equal(said(w, "killed", last, NULL, NULL), 1);
        assert_int_equal(said(w, "left", last, NULL, NULL), 0);
        assert_int_equal(said(w, "signalled", gentle, NULL, NULL), 1);
        assert_int_equal(said(w, "killed", gentle, NULL, NULL), 0);
        assert_int_equal(said(w, "holds", gentle, "now", "no"), 1);
        stop(gentle);
}

/* A wait ends when nobody holds any more, not when everybody has exited. */
static void test_letting_go_ends_the_wait(void **state)
{
        World *w = *state;
        Failure f = { 0 };
        pid_t gentle;

        if (!have_scratch)
                skip();
        add_process(w, gentle = start(LETS_GO));
        (void)add_signal(w, "SIGTERM", LONG);
        (void)add_signal(w, "SIGKILL", LONG);
        assert_int_equal(run(w, &f), 0);
        assert_int_equal(end_of(gentle), 0);
        stop(gentle);
}

/* It let go between plan and step, as an application does that is told beforehand. */
static void test_who_has_let_go_is_not_asked(void **state)
{
        World *w = *state;
        Failure f = { 0 };
        pid_t none;

        if (!have_scratch)
                skip();
        add_process(w, none = start(HOLDS_NONE));
        (void)add_signal(w, "SIGKILL", LONG);
        assert_int_equal(run(w, &f), 0);
        assert_int_equal(end_of(none), 0);
        assert_int_equal(said(w, "killed", none, NULL, NULL), 0);
        stop(none);
}

/* From the second rung on; it gets that rung's signal only. */
static void test_newcomer(void **state)
{
        World *w = *state;
        Failure f = { 0 };
        pid_t planned, newcomer;

        if (!have_scratch)
                skip();
        add_process(w, planned = start(OBEYS_KILL));
        newcomer = start(OBEYS_INT);
        (void)add_signal(w, "SIGTERM", "0");
        (void)add_signal(w, "SIGINT", SHORT);
        (void)add_signal(w, "SIGKILL", LONG);
        assert_int_equal(run(w, &f), 0);
        assert_int_equal(end_of(planned), SIGKILL);
        assert_int_equal(end_of(newcomer), SIGINT);
        assert_int_equal(said(w, "newcomer", newcomer, NULL, NULL), 1);
        assert_int_equal(said(w, "signalled", newcomer, NULL, NULL), 1);
}

static void test_protected_newcomer(void **state)
{
        World *w = *state;
        Failure f = { 0 };
        pid_t planned, newcomer;
        Record *r;

        if (!have_scratch)
                skip();
        add_process(w, planned = start(OBEYS_KILL));
        newcomer = start(OBEYS_TERM);
        (void)add_signal(w, "SIGTERM", "0");
        r = add_signal(w, "SIGKILL", LONG);
        assert_int_equal(record_set(r, "protect-processes", "test-victims*"), 0);
        assert_true(run(w, &f) < 0);
        assert_int_equal(f.kind, FAILURE_PROTECTED);
        assert_int_equal(end_of(planned), 0);
        assert_int_equal(end_of(newcomer), 0);
        stop(planned);
        stop(newcomer);
}

static void test_only_what_was_reviewed(void **state)
{
        World *w = *state;
        Failure f = { 0 };
        pid_t planned, newcomer;

        if (!have_scratch)
                skip();
        assert_int_equal(free_and_strdup(&w->request->plan_id, "0123456789ab"), 0);
        add_process(w, planned = start(OBEYS_KILL));
        newcomer = start(OBEYS_TERM);
        (void)add_signal(w, "SIGTERM", "0");
        (void)add_signal(w, "SIGKILL", LONG);
        assert_int_equal(run(w, &f), 0);
        assert_int_equal(end_of(planned), SIGKILL);
        assert_int_equal(end_of(newcomer), 0);
        stop(newcomer);
}

/* Lines that begin with this word, as the parent heard them. */
static char **heard(const World *w, const char *verb)
{
        char line[16384], **lines = NULL;
        ssize_t size;

        while ((size = recv(w->parent_fd, line, sizeof(line) - 1, MSG_DONTWAIT)) > 0) {
                line[size] = '\0';
                if (strncmp(line, verb, strlen(verb)) == 0)
                        assert_int_equal(strv_append(&lines, line), 0);
        }
        return lines;
}

/* Who, at once; and in the end that it is nobody. */
static void test_awaited_is_told(void **state)
{
        _cleanup_(record_freep) Record *r = NULL, *one = NULL;
        _cleanup_(strv_freep) char **lines = NULL;
        World *w = *state;
        Failure f = { 0 };
        char name[16];
        pid_t pid;

        if (!have_scratch)
                skip();
        add_process(w, pid = start(OBEYS_KILL));
        (void)add_signal(w, "SIGTERM", SHORT);
        assert_int_equal(run(w, &f), 0);
        (void)snprintf(name, sizeof(name), "%d", pid);
        lines = heard(w, "awaited");
        assert_int_equal(strv_length(lines), 2);
        assert_int_equal(record_parse(lines[0], &r), 0);
        assert_non_null(strstr(record_get(r, "text"), name));
        assert_int_equal(record_parse(record_get(r, "1"), &one), 0);
        assert_string_equal(one->name, name);
        assert_string_equal(record_get(one, "uses"), "fd");
        assert_string_equal(lines[1], "awaited");
        assert_int_equal(end_of(pid), 0);
        stop(pid);
}

/* The wait sees it at once, and nobody meets the next rung. */
static void test_cancel(void **state)
{
        World *w = *state;
        Failure f = { 0 };
        pid_t pid, parent;

        if (!have_scratch)
                skip();
        add_process(w, pid = start(OBEYS_KILL));
        (void)add_signal(w, "SIGTERM", LONG);
        (void)add_signal(w, "SIGKILL", LONG);
        parent = fork();
        assert_true(parent >= 0);
        if (parent == 0) {
                pause_usec(USEC_PER_SEC / 2);
                _exit(send(w->parent_fd, "cancel", 6, MSG_NOSIGNAL) == 6 ? 0 : 1);
        }
        assert_true(run(w, &f) < 0);
        assert_int_equal(f.kind, FAILURE_CANCELLED);
        assert_int_equal(end_of(pid), 0);
        stop(pid);
        assert_int_equal(waitpid(parent, NULL, 0), parent);
}

static int group_setup(void **state)
{
        have_scratch = getuid() == 0 && private_scratch() == 0;
        return mkdtemp(dir) ? 0 : -1;
}

static int group_teardown(void **state)
{
        _cleanup_(closedirp) DIR *d = opendir(dir);

        for (struct dirent *e; d && (e = readdir(d));)
                if (e->d_name[0] != '.')
                        (void)unlinkat(dirfd(d), e->d_name, 0);
        return rmdir(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_ladder),
                TEST(test_letting_go_ends_the_wait),
                TEST(test_who_has_let_go_is_not_asked),
                TEST(test_newcomer),
                TEST(test_protected_newcomer),
                TEST(test_only_what_was_reviewed),
                TEST(test_awaited_is_told),
                TEST(test_cancel),
        };

        return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
