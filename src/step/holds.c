/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "step/holds.h"

#include <inttypes.h>

#include "step/common.h"
#include "sys/units.h"
#include "util/system-units.h"

#define SCAN_TIMEOUT_USEC (30 * USEC_PER_SEC)
/* For the few that are looked at again and again: one that blocks its readers must not keep the
 * others waiting, nor a cancel. */
#define CHECK_TIMEOUT_USEC (2 * USEC_PER_SEC)

void devs_done(Devs *d)
{
        free(d->items);
}

int devs_parse(const char *text, Devs *d)
{
        _cleanup_(strv_freep) char **words = NULL;
        dev_t *grown;
        int r;

        r = strv_split(strempty(text), &words);
        if (r < 0)
                return r;
        grown = reallocarray(d->items, d->n + strv_length(words) + 1, sizeof(dev_t));
        if (!grown)
                return -ENOMEM;
        d->items = grown;
        for (char **w = words; w && *w; w++) {
                r = parse_devnum(*w, &d->items[d->n++]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int holds_scan(const char *devs, const char *nodes, ProcList *l)
{
        _cleanup_(devs_done) Devs d = { 0 }, n = { 0 };
        int r;

        r = devs_parse(devs, &d);
        if (r == 0)
                r = devs_parse(nodes, &n);
        return r < 0 ? r
                     : proc_find_holders(d.items, d.n, n.items, n.n,
                               usec_add(now_usec(), SCAN_TIMEOUT_USEC), l);
}

int holds_check(const Step *s, const pid_t *pids, size_t n_pids, ProcList *l)
{
        _cleanup_(devs_done) Devs d = { 0 }, n = { 0 };
        int r;

        r = devs_parse(step_get(s, "devs"), &d);
        if (r == 0)
                r = devs_parse(step_get(s, "nodes"), &n);
        if (r == 0)
                r = devs_parse(step_get(s, "raw"), &n);
        return r < 0 ? r
                     : proc_check_holders(pids, n_pids, d.items, d.n, n.items, n.n,
                               usec_add(now_usec(), CHECK_TIMEOUT_USEC), l);
}

int holds_note(Run *run, const char *pid, uint64_t start, const char *comm, bool now)
{
        char text[24];

        (void)snprintf(text, sizeof(text), "%" PRIu64, start);
        return run_note(
                run, "holds", pid, "start", text, "comm", comm, "now", now ? "yes" : "no", NULL);
}

bool holds_no_more(const Run *run, const char *pid, uint64_t start)
{
        const Record *r = run_recall(run, "holds", pid);
        uint64_t then;

        return r && record_get_u64(r, "start", &then) == 0 && then == start &&
               streq(strempty(record_get(r, "now")), "no");
}

/* --- who came --- */

static bool is_known(const Run *run, const ProcHolder *p)
{
        const Record *r;

        for (size_t i = 0; (r = run_process(run, i)); i++) {
                uint64_t pid, start;

                if (parse_u64(r->name, &pid) == 0 && record_get_u64(r, "start", &start) == 0 &&
                        (pid_t)pid == p->pid && start == p->start)
                        return true;
        }
        return false;
}

/* As in the plan (build_is_passer_by()), udev's workers, which open a node for a moment. And who
 * belongs to this program: planners look, the doorkeeper gets a descriptor with each question,
 * other workers hold claims. None of them is to be signalled, and whoever does stay is met by the
 * umount.
 */
static bool is_passer_by(const ProcHolder *p, const char *unit)
{
        return streq(unit, "pmemremoved.service") ||
               (p->uses == PROC_USE_NODE && unit_is_system(unit));
}

static bool is_protected(const Step *s, const ProcHolder *p, const char *unit)
{
        _cleanup_(strv_freep) char **units = NULL, **processes = NULL;

        if (p->kernel_thread || p->pid == 1 || unit_is_rescue(unit))
                return true;
        if (strv_split(strempty(step_get(s, "protect-units")), &units) < 0 ||
                strv_split(strempty(step_get(s, "protect-processes")), &processes) < 0)
                return true;
        return strv_fnmatch(units, unit) || strv_fnmatch(processes, p->comm);
}

static int note_newcomer(Run *run, const ProcHolder *p, const char *pid, const char *unit)
{
        char start[24], uses[PROC_USES_MAX];

        (void)snprintf(start, sizeof(start), "%" PRIu64, p->start);
        return run_note(run, "newcomer", pid, "start", start, "comm", p->comm, "unit", unit, "uses",
                proc_uses_format(p->uses, uses), "example", p->example, NULL);
}

/* 1 when this one is new to the run, or holds it again. */
static int take_holder(Run *run, const Step *s, const ProcHolder *p, Failure *f)
{
        char unit[256] = "", pid[16];
        int r;

        (void)snprintf(pid, sizeof(pid), "%d", p->pid);
        if (is_known(run, p)) {
                if (!holds_no_more(run, pid, p->start))
                        return 0;
                r = holds_note(run, pid, p->start, p->comm, true);
                return r < 0 ? r : 1;
        }
        if (unit_of_pid(p->pid, unit, sizeof(unit)) < 0)
                *unit = '\0';
        if (is_passer_by(p, unit))
                return 0;
        if (is_protected(s, p, unit))
                return failure_set(f, FAILURE_PROTECTED, -EPERM, step_node(s),
                        "%d (%s) came since the plan and is protected", p->pid, p->comm);
        r = note_newcomer(run, p, pid, unit);
        return r < 0 ? r : 1;
}

int step_find_newcomers(Run *run, const Step *s, const char *devs, Failure *f)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        int r, found = 0;

        r = holds_scan(devs, step_get(s, "nodes"), &l);
        if (r == -ETIMEDOUT && l.stuck > 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "could not look for processes that came since the plan: process %d blocks "
                        "whoever looks at it; end it and ask again",
                        l.stuck);
        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "could not look for processes that came since the plan: %s", strerror(-r));
        for (size_t i = 0; i < l.n; i++) {
                r = take_holder(run, s, &l.items[i], f);
                if (r < 0)
                        return r;
                found += r;
        }
        return found;
}
