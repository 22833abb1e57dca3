/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which hooks there are, what they get to know, and that each verb runs at most once, whatever
 * dies: engine, ledger, recovery and the steps are the real ones, the hook is a shell script. */

#include <fcntl.h>
#include <sys/stat.h>

#include "fixture-crash.h"
#include "kinds.h"
#include "sys/hooks.h"

/* Outlives every process. */
typedef struct World {
        int busy; /* the step between prepare and done fails */
        int turned;
} World;

static World *world;

static int turn_apply(const Step *s, Run *run, Failure *f)
{
        world->turned = 1;
        return world->busy ? failure_set(f, FAILURE_BUSY, 0, "node", "made to fail") : 0;
}

static int turn_revert(const Step *s, Run *run, Failure *f)
{
        world->turned = 0;
        return 0;
}

static int freeze_apply(const Step *s, Run *run, Failure *f)
{
        return run_note(run, "frozen", "pmem0", "at", "1", NULL);
}

static int freeze_revert(const Step *s, Run *run, Failure *f)
{
        return failure_set(f, FAILURE_ROLLBACK_FAILED, -EIO, "pmem0", "made not to thaw");
}

static const StepOps ops_turn = { "turn", "turning", NULL, turn_apply, turn_revert };
static const StepOps ops_freeze = { "freeze", "freezing", NULL, freeze_apply, freeze_revert };

/* Takes the place of the pipeline's registry. */
const StepOps *policy_find_step(const char *name)
{
        static const StepOps *const all[] = { &ops_turn, &ops_freeze, &step_query, &step_prepare,
                &step_done };

        return find_among(all, ELEMENTSOF(all), name);
}

/* --- files --- */

static char *in_dir(const char *name)
{
        char *path = string_printf("%s%s%s", dir, *name == '/' ? "" : "/", name);

        assert_non_null(path);
        return path;
}

static void write_mode(const char *name, const char *text, mode_t mode)
{
        _cleanup_(freep) char *path = in_dir(name);
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        assert_int_equal(fchmod(fd, mode), 0);
}

static char *read_back(const char *name)
{
        _cleanup_(freep) char *path = in_dir(name);
        char *text = NULL;
        size_t size;

        return read_full_file(path, 65536, &text, &size) < 0 ? strdup("") : text;
}

static void forget(const char *name)
{
        _cleanup_(freep) char *path = in_dir(name);

        (void)unlink(path);
}

/* body sees the verb as $1; what it says is also in the file "said". */
static void write_hook(const char *name, const char *body)
{
        _cleanup_(freep) char *text =
                string_printf("#!/bin/sh\necho %s:$1 >>%s/said\n%s\n", name, dir, body);

        assert_non_null(text);
        write_mode(name, text, 0755);
}

/* "a:query a:prepare " */
static void assert_said(const char *expected)
{
        _cleanup_(freep) char *text = read_back("said");

        for (char *c = text; *c; c++)
                if (*c == '\n')
                        *c = ' ';
        assert_string_equal(text, expected);
        forget("said");
}

static unsigned said(const char *what)
{
        _cleanup_(freep) char *text = read_back("said");
        unsigned n = 0;

        for (const char *c = text; (c = strstr(c, what)); c++)
                n++;
        return n;
}

/* --- which there are --- */

/* The daemon looks below the directory it was configured for, which need not be /etc. */
#define LIB "/usr/lib/pmemremoved/hooks.d/"
#define ETC CONFDIR "/pmemremoved/hooks.d/"
#define RUN "/run/pmemremoved/hooks.d/"

static void make_dir(const char *name)
{
        _cleanup_(freep) char *path = in_dir(name);

        for (char *c = strchr(path + strlen(dir) + 1, '/'); c; c = strchr(c + 1, '/')) {
                *c = '\0';
                assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
                *c = '/';
        }
}

static void make_dirs(void)
{
        make_dir(LIB);
        make_dir(ETC);
        make_dir(RUN);
}

static Graph *scan(void)
{
        Graph *g = graph_new();

        assert_non_null(g);
        assert_int_equal(hooks_scan(dir, g), 0);
        return g;
}

static void assert_path(const Node *n, const char *name)
{
        _cleanup_(freep) char *path = in_dir(name);

        assert_string_equal(node_get(n, "path"), path);
        assert_null(node_get(n, "blocker"));
}

static void test_later_folders_override(void **state)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(freep) char *null = NULL;

        make_dirs();
        write_mode(LIB "50-b", "#!/bin/sh\n", 0755);
        write_mode(LIB "10-a", "#!/bin/sh\n", 0755);
        write_mode(LIB "20-masked", "#!/bin/sh\n", 0755);
        write_mode(LIB "30-emptied", "#!/bin/sh\n", 0755);
        write_mode(ETC "50-b", "#!/bin/sh\n", 0755);
        write_mode(RUN "30-emptied", "", 0644);
        write_mode(RUN "90-c", "#!/bin/sh\n", 0755);
        write_mode(LIB "40-d~", "#!/bin/sh\n", 0755);
        write_mode(LIB "40-d.rpmnew", "#!/bin/sh\n", 0755);
        write_mode(LIB ".hidden", "#!/bin/sh\n", 0755);
        null = in_dir(ETC "20-masked");
        assert_int_equal(symlink("/dev/null", null), 0);
        g = scan();
        assert_int_equal(g->n_nodes, 3);
        assert_path(g->nodes[0], LIB "10-a");
        assert_path(g->nodes[1], ETC "50-b");
        assert_path(g->nodes[2], RUN "90-c");
}

static void test_who_may_write(void **state)
{
        static const struct {
                const char *name;
                mode_t mode, folder;
                uid_t uid;
                const char *why; /* NULL: trusted */
        } rows[] = {
                { "ok", 0700, 0755, 0, NULL },
                { "not-mine", 0755, 0755, 1, "does not belong to root" },
                { "group", 0775, 0755, 0, "others than root may write" },
                { "world", 0757, 0755, 0, "others than root may write" },
                { "plain", 0644, 0755, 0, "not executable" },
                { "folder", 0755, 01777, 0, "of its folder" },
                { "odd name", 0755, 0755, 0, "a hook's name" },
                { "odd$name", 0755, 0755, 0, "a hook's name" },
        };

        make_dirs();
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *name = string_printf(ETC "%s", rows[i].name);
                _cleanup_(freep) char *path = in_dir(name), *folder = in_dir(ETC);
                _cleanup_(graph_freep) Graph *g = NULL;
                const Node *n;

                write_mode(name, "#!/bin/sh\n", rows[i].mode);
                assert_int_equal(chown(path, rows[i].uid, 0), 0);
                assert_int_equal(chmod(folder, rows[i].folder), 0);
                g = scan();
                n = graph_find(g, KIND_HOOK, rows[i].name);
                assert_non_null(n);
                assert_int_equal(!node_get(n, "blocker"), !rows[i].why);
                if (rows[i].why)
                        assert_non_null(strstr(node_get(n, "blocker"), rows[i].why));
                (void)unlink(path);
                (void)chmod(folder, 0755);
        }
}

static void test_dangling_link_refuses(void **state)
{
        _cleanup_(freep) char *path = in_dir(RUN "00-dangling");
        _cleanup_(graph_freep) Graph *g = NULL;

        make_dirs();
        assert_int_equal(symlink("/nonexistent", path), 0);
        g = scan();
        assert_non_null(graph_find(g, KIND_HOOK, "00-dangling"));
        assert_non_null(node_get(graph_find(g, KIND_HOOK, "00-dangling"), "blocker"));
        (void)unlink(path);
}

/* --- a removal --- */

typedef struct Row {
        const char *op, *node;
} Row;

static Plan *new_plan(const Row *rows)
{
        Plan *p = start_plan();

        assert_int_equal(plan_add_road(p, record_new("road", "graceful")), 0);
        for (; rows->op; rows++) {
                _cleanup_(freep) char *path = in_dir(strempty(rows->node));

                add_step(p, rows->op, 0, rows->node, "path", path, "devices",
                        "namespace0.0 region0", "mounts", "/mnt/with\\040blank", "wait", "30000000",
                        NULL);
        }
        assert_int_equal(plan_add_note(p, "it is said that \"x\""), 0);
        return p;
}

static Ledger *fresh(const Row *rows)
{
        Request *req = request_new();
        Ledger *l;

        assert_int_equal(free_and_strdup(&req->target, "/mnt/with blank"), 0);
        assert_int_equal(free_and_strdup(&req->reason, "because\n\"so\""), 0);
        l = create_ledger(dir, req, new_plan(rows));
        l->fd = safe_close(l->fd);
        *world = (World){ 0 };
        forget("said");
        return l;
}

static void assert_ends(const Ledger *l, const char *result, const char *sentence)
{
        _cleanup_(ledger_freep) Ledger *now = reload(l);
        const char *got;

        assert_true(ledger_finished(now, &got));
        assert_string_equal(got, result);
        if (sentence)
                assert_string_equal(record_get(ledger_last(now, "finished"), "sentence"), sentence);
}

static bool ledger_says(const Ledger *l, const char *verb, const char *name)
{
        _cleanup_(ledger_freep) Ledger *now = reload(l);

        for (size_t i = 0; i < now->n_records; i++)
                if (streq(now->records[i]->verb, verb) &&
                        streq(strempty(now->records[i]->name), name))
                        return true;
        return false;
}

static const Row one[] = { { "query", "a" }, { "prepare", "a" }, { "turn", "x" }, { "done", "a" },
        { NULL, NULL } };
static const Row two[] = { { "query", "a" }, { "query", "b" }, { "prepare", "a" },
        { "prepare", "b" }, { "turn", "x" }, { "done", "a" }, { "done", "b" }, { NULL, NULL } };

static void test_in_order(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(two);

        write_hook("a", "exit 0");
        write_hook("b", "exit 2");
        assert_false(life(l, false, 0));
        assert_ends(l, "done", NULL);
        assert_said("a:query b:query a:prepare b:prepare a:done b:done ");
}

static void test_what_it_knows(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(one);
        _cleanup_(freep) char *script = NULL, *env = NULL, *expected = NULL, *json = NULL;

        script = string_printf("[ $1 = done ] || exit 0; cat >%s/json; env | "
                               "grep '^PMEMREMOVED_' | sort >%s/env; pwd >>%s/env",
                dir, dir, dir);
        write_hook("a", script);
        assert_false(life(l, false, 0));
        env = read_back("env");
        expected = string_printf("PMEMREMOVED_DEVICES=namespace0.0 region0\n"
                                 "PMEMREMOVED_MOUNTS=/mnt/with\\040blank\n"
                                 "PMEMREMOVED_REASON=because\\x0a\"so\"\n"
                                 "PMEMREMOVED_REMOVAL=%llu\n"
                                 "PMEMREMOVED_ROAD=graceful\n"
                                 "PMEMREMOVED_TARGET=/mnt/with blank\n"
                                 "PMEMREMOVED_TRANSACTION=\n"
                                 "/\n",
                (unsigned long long)l->id);
        assert_string_equal(env, expected);
        json = read_back("json");
        assert_non_null(strstr(json, "{\"id\":\""));
        assert_non_null(strstr(json, "\"target\":{\"name\":\"namespace0.0\"}"));
        assert_non_null(strstr(json, "\"roads\":[{\"name\":\"graceful\"}],\"processes\":[]"));
        assert_non_null(strstr(json, "\"mounts\":\"/mnt/with\\\\040blank\""));
        assert_non_null(strstr(json, "\"notes\":[\"it is said that \\\"x\\\"\"]}\n"));
}

static void test_veto_names_all(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(two);

        write_hook("a", "echo first line; echo not today; exit 3");
        write_hook("b", "echo nor me; exit 3");
        assert_false(life(l, false, 0));
        assert_ends(l, "vetoed", "not today; and b says: nor me");
        assert_said("a:query b:query ");
        assert_true(ledger_says(l, "vetoed", "a"));
        assert_true(ledger_says(l, "vetoed", "b"));
}

static void test_failure_of_prepare_undoes(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(two);

        write_hook("a", "exit 0");
        write_hook("b", "[ $1 != prepare ] || { echo no way; exit 3; }");
        assert_false(life(l, false, 0));
        assert_ends(l, "failed",
                "the hook could not prepare the removal: it ended with status 3; it said: no way");
        assert_said("a:query b:query a:prepare b:prepare b:undo a:undo ");
}

static void test_failure_of_query_stops(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(two);

        write_hook("a", "kill -KILL $$");
        write_hook("b", "exit 0");
        assert_false(life(l, false, 0));
        assert_ends(l, "failed", "the hook could not be asked: it was killed by signal 9");
        assert_said("a:query ");
}

static void test_only_told(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(one), *back = NULL;

        write_hook("a", "[ $1 = query ] || [ $1 = prepare ] || exit 1");
        assert_false(life(l, false, 0));
        assert_ends(l, "done", NULL);
        assert_true(ledger_says(l, "warn", "a"));
        back = fresh(one);
        world->busy = 1;
        assert_false(life(back, false, 0));
        assert_ends(back, "refused", "made to fail");
        assert_said("a:query a:prepare a:undo ");
        assert_true(ledger_says(back, "warn", "a"));
}

static void test_much_output_is_bounded(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(one), *now = NULL;
        size_t n = 0;

        write_hook("a", "yes | head -n 1000; echo the end");
        assert_false(life(l, false, 0));
        now = reload(l);
        for (size_t i = 0; i < now->n_records; i++)
                n += streq(now->records[i]->verb, "hook-output");
        assert_int_equal(n, 3 * 201);
}

static void test_never_while_frozen(void **state)
{
        static const Row rows[] = { { "prepare", "a" }, { "freeze", "pmem0" }, { "turn", "x" },
                { NULL, NULL } };
        _cleanup_(ledger_freep) Ledger *l = fresh(rows);

        write_hook("a", "exit 0");
        world->busy = 1;
        assert_false(life(l, false, 0));
        assert_ends(l, "stuck", NULL);
        assert_said("a:prepare ");
        assert_true(ledger_says(l, "warn", "a"));
}

static void test_distrusted_since_the_plan(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(one);
        _cleanup_(freep) char *path = in_dir("a");

        write_hook("a", "exit 0");
        assert_int_equal(chmod(path, 0777), 0);
        assert_false(life(l, false, 0));
        assert_ends(l, "refused", NULL);
        assert_said("");
}

/* --- whatever dies --- */

static void assert_at_most_once(void)
{
        static const char *const verbs[] = { "a:query", "a:prepare", "a:undo", "a:done" };

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                assert_true(said(verbs[i]) <= 1);
}

/* The end of a removal whose recovery was not disturbed. */
static void assert_told_the_truth(const Ledger *l)
{
        _cleanup_(ledger_freep) Ledger *now = reload(l);
        const char *result;

        assert_at_most_once();
        assert_true(ledger_finished(now, &result));
        if (streq(result, "done")) {
                assert_int_equal(world->turned, 1);
                assert_int_equal(said("a:undo"), 0);
                return;
        }
        assert_int_equal(world->turned, 0);
        assert_int_equal(said("a:done"), 0);
}

static void check_crash(const Ledger *l)
{
        assert_told_the_truth(l);
        if (ledger_says(l, "rollback", "") && ledger_says(l, "hook", "a:prepare") &&
                !ledger_says(l, "warn", "a"))
                assert_int_equal(said("a:undo"), 1);
}

static Ledger *fresh_one(void)
{
        return fresh(one);
}

static Ledger *fresh_busy(void)
{
        Ledger *l = fresh(one);

        world->busy = 1;
        return l;
}

static void test_every_death(void **state)
{
        static const Crash crash = { fresh_one, check_crash, 1 };

        write_hook("a", "echo hello");
        assert_true(every_death(&crash) > 30);
}

static void test_every_death_on_the_way_back(void **state)
{
        static const Crash crash = { fresh_busy, check_crash, 1 };

        write_hook("a", "echo hello");
        assert_true(every_death(&crash) > 30);
}

static void test_every_death_in_recovery(void **state)
{
        static const Crash crash = { fresh_one, assert_told_the_truth, 3 };

        write_hook("a", "echo hello");
        assert_true(every_death_in_recovery(&crash) > 30);
}

static int setup(void **state)
{
        world = share(sizeof(*world));
        fate = share(sizeof(*fate));
        /* Another bus than the machine's: hooks are run directly. */
        if (setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1) < 0 ||
                unsetenv("RUNTIME_DIRECTORY") < 0)
                return -1;
        return mkdtemp(dir) && chmod(dir, 0755) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
        pid_t pid = fork();

        if (pid == 0)
                _exit(execlp("rm", "rm", "-rf", dir, (char *)NULL));
        return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_later_folders_override),
                cmocka_unit_test(test_who_may_write),
                cmocka_unit_test(test_dangling_link_refuses),
                cmocka_unit_test(test_in_order),
                cmocka_unit_test(test_what_it_knows),
                cmocka_unit_test(test_veto_names_all),
                cmocka_unit_test(test_failure_of_prepare_undoes),
                cmocka_unit_test(test_failure_of_query_stops),
                cmocka_unit_test(test_only_told),
                cmocka_unit_test(test_much_output_is_bounded),
                cmocka_unit_test(test_never_while_frozen),
                cmocka_unit_test(test_distrusted_since_the_plan),
                cmocka_unit_test(test_every_death),
                cmocka_unit_test(test_every_death_on_the_way_back),
                cmocka_unit_test(test_every_death_in_recovery),
        };

        /* Only root's programs are hooks. */
        if (getuid() != 0)
                return 77;
        return cmocka_run_group_tests(tests, setup, teardown);
}
