/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stops services that use the memory, by the service manager: first what would start them again,
 * then they and what the manager stops with them, all in one go. A stopped service is not brought
 * back by Restart=, which one that was killed is.
 *
 * What was up is written down before anything is stopped, because nothing else remembers it: the
 * way back starts exactly that, in the order in which the manager would, and mounts are back by
 * then. */

#include "plan.h"
#include "step/spare.h"
#include "step/step.h"
#include "sys/units-jobs.h"
#include "util/shell.h"
#include "util/system-units.h"
#include "util/text.h"

/* To read what some units are. */
#define QUERY_TIMEOUT_USEC (10 * USEC_PER_SEC)
/* What is awaited is told as soon as that is known, then now and then. */
#define FIRST_PROGRESS_USEC (200 * USEC_PER_MSEC)
#define PROGRESS_USEC USEC_PER_SEC

static int split(const Step *s, const char *key, char ***ret)
{
        return strv_split(strempty(step_get(s, key)), ret);
}

static bool is_planned(const Step *s, const char *name)
{
        static const char *const keys[] = { "units", "triggers", "also" };
        bool found = false;

        for (size_t i = 0; i < ELEMENTSOF(keys) && !found; i++) {
                _cleanup_(strv_freep) char **names = NULL;

                found = split(s, keys[i], &names) == 0 && strv_contains(names, name);
        }
        return found;
}

/* --- what is up now --- */

/* Somebody started one since the plan was made that the manager would stop as well. */
static int check_newcomer(const Step *s, const Run *run, const char *name, Failure *f)
{
        _cleanup_(strv_freep) char **protected = NULL;

        if (is_planned(s, name))
                return 0;
        if (split(s, "protect-units", &protected) < 0 || strv_fnmatch(protected, name) ||
                unit_is_rescue(name))
                return failure_set(f, FAILURE_PROTECTED, -EPERM, name,
                        "it came since the plan, would be stopped with the others, and is "
                        "protected");
        if (run_only_planned(run))
                return failure_set(f, FAILURE_PLAN_CHANGED, -ESTALE, name,
                        "it came since the plan and would be stopped with the others; look at the "
                        "new plan and ask again");
        return 0;
}

static int query(const Step *s, char *const *units, UnitList *l, Failure *f)
{
        int r = units_query(units, QUERY_TIMEOUT_USEC, l);

        return r == 0 ? 0
                      : failure_set(f, FAILURE_FAILED, r, step_node(s),
                                "the service manager does not tell what they are (%s); look at it "
                                "with systemctl status, or let StopUnits=no signal their "
                                "processes only",
                                strerror(-r));
}

static int note_up(const Step *s, Run *run, const UnitList *l, Failure *f)
{
        int r = 0;

        for (size_t i = 0; i < l->n && r == 0; i++)
                r = check_newcomer(s, run, l->items[i]->name, f);
        for (size_t i = 0; i < l->n && r == 0; i++)
                r = run_note(run, "active", l->items[i]->name, "role",
                        record_get(l->items[i], "role"), "state", record_get(l->items[i], "state"),
                        "transient", record_get(l->items[i], "transient"), NULL);
        return r;
}

static bool is_trigger(const Record *unit)
{
        return streq(strempty(record_get(unit, "role")), "trigger");
}

/* Triggers first, then against the order of starting. */
static int stop_order(const UnitList *l, char ***ret)
{
        int r = 0;

        for (size_t i = l->n; i > 0 && r == 0; i--)
                if (is_trigger(l->items[i - 1]))
                        r = strv_append(ret, l->items[i - 1]->name);
        for (size_t i = l->n; i > 0 && r == 0; i--)
                if (!is_trigger(l->items[i - 1]))
                        r = strv_append(ret, l->items[i - 1]->name);
        return r;
}

/* --- jobs --- */

/* 0 when all jobs have ended. -ECANCELED with the Failure filled. */
static int follow(
        const Step *s, Run *run, UnitJobs *jobs, uint64_t deadline, int cancel_fd, Failure *f)
{
        uint64_t pause = FIRST_PROGRESS_USEC;
        char text[512];

        for (;; pause = PROGRESS_USEC) {
                uint64_t until = MIN_OF(deadline, usec_add(now_usec(), pause));
                int r = unit_jobs_wait(jobs, until, cancel_fd);

                if (r == -ECANCELED && (cancel_fd < 0 || run_check_cancel(run, f) == 0))
                        continue;
                if (r == -ETIME || (r == -ETIMEDOUT && now_usec() >= deadline))
                        return -ETIMEDOUT;
                if (r != -ETIMEDOUT)
                        return r;
                if (*unit_jobs_awaited(jobs, text, sizeof(text)))
                        run_progress(run, s, "waiting for %s", text);
        }
}

static int tell_stop(const Step *s, int r, UnitJobs *jobs, Failure *f)
{
        char awaited[512] = "", span[TIMESPAN_MAX], word[SHELL_WORD_MAX];
        const char *why = NULL, *name = r == 0 ? unit_jobs_failed(jobs, &why) : NULL;

        if (r == 0 && !name)
                return 0;
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "not stopped within StopUnitTimeout=%s: %s; see systemctl status, stop it "
                        "by hand and ask again",
                        format_timespan(span, step_get_u64(s, "wait")),
                        unit_jobs_awaited(jobs, awaited, sizeof(awaited)));
        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "the service manager did not stop them: %s", strerror(-r));
        return failure_set(f, FAILURE_FAILED, -EIO, name,
                "the service manager did not stop it (%s); see systemctl status %s", why,
                shell_word(name, word, sizeof(word)));
}

static int stop(const Step *s, Run *run, const UnitList *l, Failure *f)
{
        _cleanup_(unit_jobs_freep) UnitJobs *jobs = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        uint64_t wait = step_get_u64(s, "wait"), deadline = usec_add(now_usec(), wait);
        int r = stop_order(l, &names);

        if (r == 0)
                r = unit_jobs_start(UNIT_ACTION_STOP, names, wait, &jobs);
        if (r < 0)
                return r;
        r = follow(s, run, jobs, deadline, run_cancel_fd(run), f);
        return r == -ECANCELED ? r : tell_stop(s, r, jobs, f);
}

/* D-Bus, another unit's Wants= or a person may have started one of them again by now. Changes
 * units. Triggers that were not stopped are those of a service that was spared. */
static int check_down(const Step *s, char ***units, const UnitList *stopped, Failure *f)
{
        _cleanup_(unit_list_done) UnitList l = { 0 };
        _cleanup_(strv_freep) char **triggers = NULL;
        int r = split(s, "triggers", &triggers);

        for (char **name = triggers; r == 0 && name && *name; name++)
                if (unit_list_find(stopped, *name))
                        r = strv_append(units, *name);
        if (r == 0)
                r = query(s, *units, &l, f);
        if (r == 0 && l.n > 0)
                return failure_set(f, FAILURE_BUSY, -EBUSY, l.items[0]->name,
                        "somebody started it again while it was being stopped; find out who, and "
                        "ask again");
        return r;
}

static int stop_units_apply(const Step *s, Run *run, Failure *f)
{
        _cleanup_(unit_list_done) UnitList l = { 0 };
        _cleanup_(strv_freep) char **planned = NULL, **units = NULL;
        int r = split(s, "units", &planned);

        if (r == 0)
                r = units_without_spared(run, s, planned, &units);
        if (r < 0 || !units)
                return r;
        r = query(s, units, &l, f);
        if (r == 0)
                r = note_up(s, run, &l, f);
        if (r < 0 || l.n == 0)
                return r;
        r = stop(s, run, &l, f);
        return r < 0 ? r : check_down(s, &units, &l, f);
}

/* --- the way back --- */

/* One that somebody else was stopping is to stay stopped. */
static bool is_wanted(const Record *unit)
{
        return !streq(strempty(record_get(unit, "state")), "deactivating");
}

/* In the order in which they were noted; transient units are gone for good. */
static int noted(Run *run, char ***ret)
{
        const Record *unit;
        int r = 0;

        for (size_t i = 0; r == 0 && (unit = run_noted(run, "active", i)); i++)
                if (!record_get(unit, "transient") && is_wanted(unit) &&
                        !strv_contains(*ret, unit->name))
                        r = strv_append(ret, unit->name);
        return r;
}

/* The way back does not end because a full /run has no room for what is said of it: the others are
 * to be up again. */
static void warn_transient(Run *run)
{
        const Record *unit;

        for (size_t i = 0; (unit = run_noted(run, "active", i)); i++)
                if (record_get(unit, "transient") && is_wanted(unit))
                        (void)run_note(run, "warn", unit->name, "text",
                                "it was a transient unit and cannot be started again; whoever "
                                "made it has to",
                                NULL);
}

/* A unit with Requires= of a masked mount unit does not start, even while that is mounted; with
 * RequiresMountsFor= it does, without waiting for the mount (systemd 252). The gates' own reverts
 * come after this one, and find nothing to do. One that stays closed is told last: it is none of
 * the other services' business, and they are not to stay down for it. */
static int open_gates(Run *run, Failure *f)
{
        const Plan *p = run_plan_of(run);
        int first = 0;

        for (size_t i = 0; i < p->n_steps; i++) {
                const Step *s = p->steps + i;
                int r = s->ops == &step_gate ? s->ops->revert(s, run, f) : 0;

                first = first < 0 ? first : r;
        }
        return first;
}

static int tell_start(const Step *s, int r, UnitJobs *jobs, Failure *f)
{
        char awaited[512] = "", word[SHELL_WORD_MAX];
        const char *why = NULL, *name = r == 0 ? unit_jobs_failed(jobs, &why) : NULL;

        if (r == 0 && !name)
                return 0;
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "not started again yet: %s; the service manager goes on with it, see "
                        "systemctl list-jobs and systemctl status",
                        unit_jobs_awaited(jobs, awaited, sizeof(awaited)));
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "they were stopped and could not be started again: %s; try systemctl "
                        "start %s",
                        strerror(-r), shell_words(step_node(s), word, sizeof(word)));
        return failure_set(f, FAILURE_ROLLBACK_FAILED, -EIO, name,
                "it was stopped and could not be started again (%s); see systemctl status %s", why,
                shell_word(name, word, sizeof(word)));
}

/* A start is refused, or cancelled, while the machine shuts down ("Transaction is destructive"):
 * what was stopped would have been stopped by that, and nobody misses it. */
static void tell_shutdown(Run *run, char *const *names)
{
        for (; *names; names++)
                (void)run_note(run, "warn", *names, "text",
                        "it is not started again, because the machine shuts down", NULL);
}

/* Starting what runs does nothing. */
static int start(const Step *s, Run *run, char *const *names, Failure *f)
{
        _cleanup_(unit_jobs_freep) UnitJobs *jobs = NULL;
        uint64_t wait = step_get_u64(s, "start-wait");
        int r = unit_jobs_start(UNIT_ACTION_START, names, wait, &jobs);

        if (r == 0)
                r = follow(s, run, jobs, usec_add(now_usec(), wait), -EBADF, f);
        r = tell_start(s, r, jobs, f);
        if (r == 0 || units_machine_stops(QUERY_TIMEOUT_USEC) <= 0)
                return r;
        *f = (Failure){ 0 };
        tell_shutdown(run, names);
        return 0;
}

static int stop_units_revert(const Step *s, Run *run, Failure *f)
{
        _cleanup_(strv_freep) char **names = NULL;
        Failure gate = { 0 };
        int r = noted(run, &names), shut;

        warn_transient(run);
        if (r < 0 || !names)
                return r;
        shut = open_gates(run, &gate);
        r = start(s, run, names, f);
        if (r == 0 && shut < 0)
                *f = gate;
        return r < 0 ? r : shut;
}

const StepOps step_stop_units = {
        .name = "stop-units",
        .title = "stopping services",
        .apply = stop_units_apply,
        .revert = stop_units_revert,
};
