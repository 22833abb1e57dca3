/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The real daemon on a machine that is made up: one namespace, and plans whose steps do what the
 * target's name asks for. Planner, worker, ledger, engine, recovery and bus are the real ones. What
 * the steps did is appended to the file $FAKE_WORLD names. Linked before the core with
 * -z muldefs, so that these definitions win over topology.c and policy.c. */

#include <fcntl.h>
#include <signal.h>

#include "policy.h"
#include "topology.h"
#include "util/text.h"

static const char machine[] =
        "host host pre-remove=yes pre-remove-why=fake processes=3\n"
        "bus ndbus0 sysfs=/sys/fake/ndbus0\n"
        "region region0 on=bus:ndbus0 sysfs=/sys/fake/region0 size=1024 numa=0 driver=nd_region\n"
        "namespace namespace0.0 on=region:region0 sysfs=/sys/fake/namespace0.0 size=1024 "
        "mode=fsdax "
        "driver=nd_pmem\n"
        "block pmem0 on=namespace:namespace0.0 dev=259:0\n"
        "filesystem pmem0 on=block:pmem0 type=xfs dev=259:0\n"
        "mount 42 on=filesystem:pmem0 target=/mnt/pmem dev=259:0\n";

static void world(const char *what, const char *name)
{
        const char *path = getenv("FAKE_WORLD");
        _cleanup_(closep) int fd =
                open(path ? path : "/dev/null", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

        (void)dprintf(fd, "%s %s\n", what, name);
}

/* Until the parent says something, at most a minute. */
static int act_wait(const Step *s, Run *run, Failure *f)
{
        int r = 0;

        for (unsigned i = 0; i < 600 && r == 0; i++) {
                pause_usec(100 * USEC_PER_MSEC);
                r = run_check_cancel(run, f);
        }
        return r;
}

static int act_busy(const Step *s, Run *run, Failure *f)
{
        (void)run_note(
                run, "held", "812", "comm", "db", "uses", "fd", "example", "/mnt/pmem/x", NULL);
        return failure_set(f, FAILURE_BUSY, -EBUSY, "/mnt/pmem", "812 (db) does not leave");
}

/* Names that their owners chose to do harm with. */
static int act_odd(const Step *s, Run *run, Failure *f)
{
        int r;

        r = run_note(run, "killed", "812", "comm", "d\xff\033[2J", "unit", "\xfe.service", "reason",
                "it is \xef\xbf\xbe", NULL);
        return r < 0 ? r
                     : failure_set(f, FAILURE_BUSY, -EBUSY, "/mnt/\xff",
                               "813 (\xff\n<0>\033]0;x\a) does not leave");
}

static int act_nothing(const Step *s, Run *run, Failure *f)
{
        return 0;
}

static int act_kill(const Step *s, Run *run, Failure *f)
{
        return run_note(
                run, "killed", "812", "comm", "db", "unit", "db.service", "reason", "fake", NULL);
}

static int act_freeze(const Step *s, Run *run, Failure *f)
{
        int r = run_note(run, "frozen", "pmem0", NULL);

        pause_usec(300 * USEC_PER_MSEC);
        return r < 0 ? r : run_note(run, "thawed", "pmem0", "usec", "300000", NULL);
}

static int act_freeze_long(const Step *s, Run *run, Failure *f)
{
        int r = run_note(run, "frozen", "pmem0", NULL);

        pause_usec(2 * USEC_PER_SEC);
        return r < 0 ? r : run_note(run, "thawed", "pmem0", "usec", "2000000", NULL);
}

static int act_slow(const Step *s, Run *run, Failure *f)
{
        pause_usec(2 * USEC_PER_SEC);
        return 0;
}

static int act_die(const Step *s, Run *run, Failure *f)
{
        return raise(SIGKILL);
}

static const struct {
        const char *name;
        int (*act)(const Step *s, Run *run, Failure *f);
} acts[] = {
        { "wait", act_wait },
        { "busy", act_busy },
        { "nothing", act_nothing },
        { "slow-back", act_nothing },
        { "odd", act_odd },
        { "kill", act_kill },
        { "slow", act_slow },
        { "freeze", act_freeze },
        { "freeze-long", act_freeze_long },
        { "die", act_die },
};

static int fake_apply(const Step *s, Run *run, Failure *f)
{
        const char *what = strempty(step_get(s, "do"));

        world("apply", what);
        for (size_t i = 0; i < ELEMENTSOF(acts); i++)
                if (streq(acts[i].name, what))
                        return acts[i].act(s, run, f);
        return failure_set(f, FAILURE_FAILED, -EINVAL, what, "no such act");
}

static int fake_revert(const Step *s, Run *run, Failure *f)
{
        const char *what = strempty(step_get(s, "do"));

        world("revert", what);
        if (streq(what, "slow"))
                pause_usec(500 * USEC_PER_MSEC);
        if (streq(what, "slow-back"))
                pause_usec(3 * USEC_PER_SEC);
        return 0;
}

static const StepOps fake = {
        .name = "fake",
        .title = "faking",
        .apply = fake_apply,
        .revert = fake_revert,
};

const StepOps *policy_find_step(const char *name)
{
        static const StepOps *const all[] = { &fake, &step_announce, &step_confirm, &step_commit,
                &step_query, &step_prepare, &step_done };

        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                if (streq(all[i]->name, name))
                        return all[i];
        return NULL;
}

/* With what the file $FAKE_MORE names, if any. */
int topology_scan(TopologyDepth depth, uint64_t deadline_usec, Graph **ret, Failure *f)
{
        _cleanup_(freep) char *more = NULL, *all = NULL;
        const char *path = getenv("FAKE_MORE");
        unsigned line;

        if (path && read_full_file(path, SIZE_MAX / 4, &more, NULL) < 0)
                return -EIO;
        all = string_printf("%s%s", machine, strempty(more));
        return all ? graph_parse(all, ret, &line) : -ENOMEM;
}

static int add_step(Plan *p, const char *op, unsigned rung, const char *what)
{
        Record *args = record_new("step", streq(op, "fake") ? "/mnt/pmem" : NULL);

        if (!args || record_set(args, "op", op) < 0 || record_set(args, "do", what) < 0 ||
                (rung > 0 && record_setf(args, "rung", "%u", rung) < 0))
                return -ENOMEM;
        return plan_add_step(p, policy_find_step(op), rung, args);
}

/* The program that $FAKE_HOOK names. */
static int add_hook(Plan *p, const char *op)
{
        const char *path = getenv("FAKE_HOOK");
        Record *args = record_new("step", "10-site");

        if (!args || record_set(args, "op", op) < 0 ||
                record_set(args, "path", path ? path : "/nonexistent") < 0 ||
                record_set(args, "wait", "30000000") < 0)
                return -ENOMEM;
        return plan_add_step(p, policy_find_step(op), 0, args);
}

static int add_announce(Plan *p, const char *wait)
{
        Record *args = record_new("step", NULL);

        if (!args || record_set(args, "op", "announce") < 0 || record_set(args, "wait", wait) < 0)
                return -ENOMEM;
        return plan_add_step(p, &step_announce, 0, args);
}

static int add_road(Plan *p, const char *name, unsigned rung)
{
        Record *road = record_new("road", name);

        if (!road || record_setf(road, "rung", "%u", rung) < 0 ||
                record_set(road, "why", "fake") < 0)
                return -ENOMEM;
        return plan_add_road(p, road);
}

/* Who is there is somebody else each time the plan is made. */
static int add_process(Plan *p, pid_t pid)
{
        char name[16];
        Record *process;

        (void)snprintf(name, sizeof(name), "%d", pid);
        process = record_new("process", name);
        if (!process || record_set(process, "comm", "moody") < 0)
                return -ENOMEM;
        return plan_add_process(p, process);
}

/* The reason of a request is its script: blank separated acts, "commit", "confirm", the verbs of a
 * hook, "moody" for a plan that changes each time, "2" for what follows to be on the second rung,
 * and "patient" for who asks for time to get a lot of it. */
static int add_script(Plan *p, const char *script)
{
        _cleanup_(strv_freep) char **words = NULL;
        unsigned rung = strstr(script, " 2 ") ? 1 : 0;
        int r;

        r = strv_split(script, &words);
        if (r == 0)
                r = add_announce(p, strstr(script, "patient") ? "60000000" : "1000000");
        if (r == 0)
                r = add_road(p, "graceful", 1);
        for (char **w = words; w && *w && r == 0; w++) {
                if (streq(*w, "2"))
                        r = add_road(p, "forced", rung = 2);
                else if (streq(*w, "patient"))
                        continue;
                else if (streq(*w, "moody"))
                        r = add_process(p, getpid());
                else if (streq(*w, "commit") || streq(*w, "confirm"))
                        r = add_step(p, *w, rung, NULL);
                else if (streq(*w, "query") || streq(*w, "prepare") || streq(*w, "done"))
                        r = add_hook(p, *w);
                else
                        r = add_step(p, "fake", rung, *w);
        }
        return r;
}

static int make_plan(const Request *req, Plan **ret)
{
        _cleanup_(plan_freep) Plan *p = plan_new();
        int r;

        if (!p)
                return -ENOMEM;
        p->target = record_new("target", req->target);
        r = p->target ? record_set(p->target, "kind", "namespace") : -ENOMEM;
        if (r == 0)
                r = record_set(p->target, "mode", "auto");
        if (r == 0)
                r = add_script(p, strempty(req->reason));
        if (r == 0)
                r = plan_seal(p);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

static int refuse(Verdict *v)
{
        v->blockers = calloc(2, sizeof(Failure));
        if (!v->blockers)
                return -ENOMEM;
        v->n_blockers = 2;
        (void)failure_set(&v->blockers[0], FAILURE_BUSY, 0, "/mnt/pmem", "first reason");
        (void)failure_set(&v->blockers[1], FAILURE_NOT_SUPPORTED, 0, "pmem0", "second reason");
        return 0;
}

int policy_decide(const Config *c, Graph *g, const Request *req, Verdict **ret, Failure *f)
{
        _cleanup_(verdict_freep) Verdict *v = calloc(1, sizeof(*v));
        const char *script = strempty(req->reason);
        Node *node;
        int r;

        if (!v)
                return -ENOMEM;
        r = topology_resolve(g, req->target, &node, f);
        if (r < 0)
                return r;
        if (streq(script, "odd"))
                return failure_set(
                        f, FAILURE_NOT_SUPPORTED, 0, "/mnt/\xff", "used by 813 (\xc3\x28)");
        if (streq(script, "crash"))
                abort();
        if (streq(script, "think"))
                pause_usec(3 * USEC_PER_SEC);
        r = free_and_strdup(&v->mode, req->mode < 0 ? "auto" : mode_to_string(req->mode));
        if (r == 0)
                r = free_and_strdup(&v->closure, "namespace0.0");
        if (r == 0)
                r = streq(script, "refuse") ? refuse(v) : make_plan(req, &v->plan);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}
