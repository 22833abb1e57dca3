/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One snapshot after the other, and what is said of the devices that one shows no longer: that they
 * were removed on request, or by surprise, or nothing. The nd bus is made up. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "bus-signals.h"
#include "manager-dead.h"
#include "manager-watch.h"
#include "manager.h"
#include "planner.h"
#include "policy.h"
#include "util/text.h"

static char dir[] = "/tmp/pmemremoved-test-XXXXXX";
/* Devices of the nd bus that have a driver. */
static char bound[64];
/* "name how;", in the order in which they were told */
static char told[256];

int __wrap_bind_driver(const char *device, char *buf, size_t size);
void __wrap_bus_signal_device_removed(Manager *m, const char *path, const char *how);

int __wrap_bind_driver(const char *device, char *buf, size_t size)
{
        (void)snprintf(buf, size, "nd_pmem");
        return strstr(bound, device) ? 0 : -ENOENT;
}

void __wrap_bus_signal_device_removed(Manager *m, const char *path, const char *how)
{
        size_t used = strlen(told);

        (void)snprintf(told + used, sizeof(told) - used, "%s %s;", strrchr(path, '/') + 1, how);
}

static unsigned n_asked;
static PlannerDone answer; /* of the question that is open */
static void *answer_userdata;

int __wrap_planner_ask(
        Manager *m, const Request *req, uid_t uid, PlannerDone done, void *userdata, Failure *f);
int __wrap_planner_ask(
        Manager *m, const Request *req, uid_t uid, PlannerDone done, void *userdata, Failure *f)
{
        n_asked++;
        answer = done;
        answer_userdata = userdata;
        return 0;
}

/* --- snapshots --- */

static void take(Manager *m, bool region, bool namespace)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(freep) char *text = string_printf("bus ndbus0\n"
                                                    "dimm nmem0 on=bus:ndbus0\n"
                                                    "region region0 on=bus:ndbus0,dimm:nmem0%s\n"
                                                    "namespace namespace0.0 on=region:region0 "
                                                    "uuid=u%s\n%s",
                region ? " driver=nd_region" : "", namespace ? " driver=nd_pmem device=pfn0.0" : "",
                namespace ? "block pmem0 on=namespace:namespace0.0 dev=259:0\n"
                            "filesystem pmem0 on=block:pmem0 dev=259:0 type=xfs dax=no\n"
                            "mount 1 on=filesystem:pmem0 target=/mnt/ab\n"
                            "mount 2 on=filesystem:pmem0 target=/mnt/a\n"
                          : "");
        DeviceTable *t;
        unsigned line;

        assert_non_null(text);
        assert_int_equal(graph_parse(text, &g, &line), 0);
        assert_int_equal(device_table_new(g, &t), 0);
        manager_take_devices(m, t);
}

static Manager *start(void)
{
        Manager *m = calloc(1, sizeof(*m));
        static Config config;
        static Policy policy;
        static Policy *policies[] = { &policy };

        assert_non_null(m);
        config.policies = policies;
        m->config = &config;
        m->ledger_dir = dir;
        m->named = true;
        assert_true(sd_event_new(&m->event) >= 0);
        (void)snprintf(bound, sizeof(bound), "region0 pfn0.0");
        *told = '\0';
        take(m, true, true);
        return m;
}

static void stop(Manager *m)
{
        for (size_t i = 0; i < m->n_removals; i++)
                (void)unlink(strempty(m->removals[i]->ledger_path));
        m->config = NULL;
        (void)manager_free(m);
}

static Removal *removal(Manager *m)
{
        Request *req = request_new();
        Plan *p = plan_new();
        Record *args = record_new("step", "region0");
        Failure f = { 0 };
        Removal *r;

        assert_true(req && p && args);
        assert_int_equal(free_and_strdup(&req->target, "namespace0.0"), 0);
        p->target = record_new("target", "namespace0.0");
        assert_int_equal(record_set(args, "op", "region"), 0);
        assert_int_equal(plan_add_step(p, &step_region, 0, args), 0);
        assert_int_equal(plan_seal(p), 0);
        assert_int_equal(removal_new(m, &req, &p, "namespace0.0", &r, &f), 0);
        return r;
}

static void end(Removal *r, RemovalState state)
{
        r->steps[0] = state == REMOVAL_SUCCEEDED ? STEP_DONE : STEP_PENDING;
        r->state = state;
        manager_removal_ended(r->manager, r);
}

/* --- cases --- */

static void test_nobody_asked(void **state)
{
        Manager *m = start();

        (void)snprintf(bound, sizeof(bound), "region0");
        take(m, true, false);
        assert_string_equal(told, "namespace0_2e0 surprise;");
        stop(m);
}

/* The region goes with the last namespace, though nobody named it, and bus and dimm are there. */
static void test_region_of_ours(void **state)
{
        Manager *m = start();
        Removal *r = removal(m);

        *bound = '\0';
        take(m, false, false);
        assert_string_equal(told, "");
        end(r, REMOVAL_SUCCEEDED);
        assert_string_equal(told, "namespace0_2e0 requested;region0 requested;");
        stop(m);
}

static void test_region_shown_late(void **state)
{
        Manager *m = start();
        Removal *r = removal(m);

        *bound = '\0';
        end(r, REMOVAL_SUCCEEDED);
        assert_string_equal(told, "");
        take(m, false, false);
        assert_null(strstr(told, "surprise"));
        assert_non_null(strstr(told, "region0 requested;"));
        assert_non_null(strstr(told, "namespace0_2e0 requested;"));
        stop(m);
}

/* What another one disables is none of ours. */
static void test_region_of_others(void **state)
{
        Manager *m = start();

        *bound = '\0';
        take(m, false, false);
        assert_string_equal(told, "region0 surprise;namespace0_2e0 surprise;");
        stop(m);
}

/* Removed, bound again before any snapshot showed it gone, and then taken away by somebody. */
static void test_ours_no_longer(void **state)
{
        Manager *m = start();
        Removal *r = removal(m);

        *bound = '\0';
        end(r, REMOVAL_SUCCEEDED);
        (void)snprintf(bound, sizeof(bound), "region0 pfn0.0");
        take(m, true, true);
        *bound = '\0';
        manager_look_for_vanished(m);
        assert_string_equal(told, "namespace0_2e0 surprise;");
        stop(m);
}

/* Bound again while the removal ended: what goes after that is not by it. */
static void test_bound_at_the_end(void **state)
{
        Manager *m = start();
        Removal *r = removal(m);

        end(r, REMOVAL_SUCCEEDED);
        *bound = '\0';
        manager_look_for_vanished(m);
        assert_string_equal(told, "namespace0_2e0 surprise;");
        stop(m);
}

/* Begun while it was unbound, shown after it was bound again. */
static void test_old_snapshot(void **state)
{
        Manager *m = start();
        Removal *r = removal(m);

        end(r, REMOVAL_ROLLED_BACK);
        take(m, true, false);
        assert_string_equal(told, "");
        take(m, true, true);
        assert_string_equal(told, "");
        stop(m);
}

/* The worker looks whether it was he; before he has answered, a snapshot shows it gone. */
static void test_users_outlive_a_snapshot(void **state)
{
        _cleanup_(freep) char *users = NULL;
        Manager *m = start();
        Removal *r = removal(m);
        Device *d;

        (void)snprintf(bound, sizeof(bound), "region0");
        take(m, true, false);
        take(m, true, false);
        d = device_table_find(m->devices, "namespace0.0");
        assert_non_null(d);
        assert_string_equal(d->filesystems, "259:0");
        assert_false(d->dax);
        users = manager_device_users(d);
        assert_string_equal(users, "filesystem pmem0, mount /mnt/ab, mount /mnt/a");
        manager_device_vanished(m, d, r);
        assert_string_equal(told, "namespace0_2e0 surprise;");
        /* It is over: nothing is kept for it. */
        end(r, REMOVAL_ROLLED_BACK);
        take(m, true, false);
        assert_null(device_table_find(m->devices, "namespace0.0")->filesystems);
        stop(m);
}

/* A snapshot sees the superblock of what nobody has mounted, too. */
static void test_unmounted_is_unused(void **state)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        const char *text = "namespace namespace0.0 uuid=u driver=nd_pmem device=pfn0.0\n"
                           "block pmem0 on=namespace:namespace0.0 dev=259:0\n"
                           "filesystem pmem0 on=block:pmem0 dev=259:0 type=xfs\n";
        DeviceTable *t;
        unsigned line;

        assert_int_equal(graph_parse(text, &g, &line), 0);
        assert_int_equal(device_table_new(g, &t), 0);
        assert_null(manager_device_users(device_table_find(t, "namespace0.0")));
        device_table_free(t);
}

/* The last descriptor goes to the cleaner's report: that nobody can watch it is tried again, and
 * leaves no process behind. */
static void test_cleaner_that_nobody_watches(void **state)
{
        Manager *m = start();
        int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
        struct rlimit old, few;

        assert_true(next >= 0);
        (void)close(next);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
        few = (struct rlimit){ .rlim_cur = (rlim_t)next + 1, .rlim_max = old.rlim_max };
        m->config->policies[0]->clean_dead_mounts = true;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        dead_note(m, device_table_find(m->devices, "namespace0.0"));
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
        m->config->policies[0]->clean_dead_mounts = false;
        assert_int_equal(m->n_dead, 1);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
        stop(m);
}

static void fail_to_answer(void)
{
        PlannerAnswer a = { 0 };

        (void)failure_set(&a.failure, FAILURE_FAILED, -ECHILD, NULL, "the planner died (signal 9)");
        answer(&a, answer_userdata);
}

static void run_for(Manager *m, uint64_t usec)
{
        uint64_t until = usec_add(now_usec(), usec);

        while (now_usec() < until && !answer)
                assert_true(sd_event_run(m->event, USEC_PER_SEC / 10) >= 0);
}

/* Nothing else comes that would make it look again. */
static void test_snapshot_that_failed(void **state)
{
        Manager *m = start();

        answer = NULL;
        n_asked = 0;
        assert_int_equal(watch_start(m, true, &m->watch), 0);
        run_for(m, 30 * USEC_PER_SEC);
        assert_int_equal(n_asked, 1);
        fail_to_answer();
        assert_non_null(device_table_find(m->devices, "namespace0.0"));
        answer = NULL;
        run_for(m, 30 * USEC_PER_SEC);
        assert_int_equal(n_asked, 2);
        m->watch = watch_free(m->watch);
        stop(m);
}

static int setup(void **state)
{
        return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
        _cleanup_(closedirp) DIR *d = opendir(dir);

        for (struct dirent *e; d && (e = readdir(d));)
                (void)unlinkat(dirfd(d), e->d_name, 0);
        return rmdir(dir);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nobody_asked),
                cmocka_unit_test(test_region_of_ours),
                cmocka_unit_test(test_region_shown_late),
                cmocka_unit_test(test_region_of_others),
                cmocka_unit_test(test_ours_no_longer),
                cmocka_unit_test(test_bound_at_the_end),
                cmocka_unit_test(test_old_snapshot),
                cmocka_unit_test(test_users_outlive_a_snapshot),
                cmocka_unit_test(test_unmounted_is_unused),
                cmocka_unit_test(test_cleaner_that_nobody_watches),
                cmocka_unit_test(test_snapshot_that_failed),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
