/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shared by steps; see the header. */

#include "step/common.h"

#include "step/holds.h"
#include "step/sleeper.h"
#include "sys/child.h"
#include "sys/proc-hints.h"
#include "sys/proc-pins.h"
#include "sys/proc.h"

#define HINTS_TIMEOUT_USEC (10 * USEC_PER_SEC)

void step_place(const Step *s, MountPlace *ret)
{
        const char *target = step_get(s, "target");

        *ret = (MountPlace){
                .ns_pid = (pid_t)step_get_u64(s, "ns-pid"),
                .ns = (ino_t)step_get_u64(s, "ns"),
                .ns_id = step_get_u64(s, "ns-id"),
                .id = step_get_u64(s, "id"),
                .dev = step_get_dev(s, "dev"),
                .target = target ? target : step_node(s),
                .propagation = step_get(s, "propagation"),
        };
}

/* --- who is there --- */

static void append_name(char *buf, size_t size, pid_t pid, const char *comm)
{
        size_t used = strlen(buf);

        (void)snprintf(buf + used, size - used, "%s%d (%s)", used ? ", " : "", pid, comm);
}

/* Empty when nothing is known of anybody, either. A doorkeeper is a fanotify group of our own. */
static void name_suspects(const char *devs, char *buf, size_t size)
{
        _cleanup_(proc_hint_list_done) ProcHintList l = { 0 };
        _cleanup_(devs_done) Devs d = { 0 };
        char own[16] = "";

        if (devs_parse(devs, &d) < 0 || proc_comm(getpid(), own, sizeof(own)) < 0 ||
                proc_find_hints(d.items, d.n, usec_add(now_usec(), HINTS_TIMEOUT_USEC), &l) < 0)
                return;
        for (size_t i = 0; i < l.n; i++) {
                const ProcHint *h = &l.items[i];
                size_t used = strlen(buf);

                if (streq(h->comm, own))
                        continue;
                (void)snprintf(buf + used, size - used, "%s%s %d (%s)",
                        used ? ", " : "something that no process shows; it may be: ", h->what,
                        h->pid, h->comm);
        }
}

static void name_found(Run *run, const ProcList *l, char *buf, size_t size)
{
        *buf = '\0';
        for (size_t i = 0; i < l->n; i++) {
                const ProcHolder *p = &l->items[i];
                char pid[16], uses[PROC_USES_MAX];

                (void)snprintf(pid, sizeof(pid), "%d", p->pid);
                (void)run_note(run, "held", pid, "comm", p->comm, "uses",
                        proc_uses_format(p->uses, uses), "example", p->example, NULL);
                append_name(buf, size, p->pid, p->comm);
        }
}

void step_name_holders(Run *run, const char *devs, char *buf, size_t size)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };

        *buf = '\0';
        if (holds_scan(devs, NULL, &l) < 0)
                return;
        name_found(run, &l, buf, size);
        if (l.n == 0)
                name_suspects(devs, buf, size);
}

int step_find_users(Run *run, const char *nodes, char *buf, size_t size)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        int r = holds_scan(NULL, nodes, &l);

        if (r < 0)
                return r;
        if (buf)
                name_found(run, &l, buf, size);
        return l.n > 0;
}

int step_find_pins(const char *nodes, char *buf, size_t size)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        int r = holds_scan(NULL, nodes, &l);

        *buf = '\0';
        for (size_t i = 0; i < l.n && r == 0; i++) {
                char pins[PROC_PINS_MAX];

                r = proc_pins(l.items[i].pid, pins);
                if (r == -ESRCH)
                        r = 0;
                else if (r == 0 && *pins)
                        append_name(buf, size, l.items[i].pid, l.items[i].comm);
        }
        return r < 0 ? r : *buf != '\0';
}

/* --- taking something down --- */

int step_call(const Step *s, Run *run, int (*fn)(void *), Failure *f)
{
        _cleanup_(child_done) Child c = CHILD_INIT;
        int r;

        r = child_start(&c, true, fn, (void *)s);
        return r < 0 ? r : sleeper_wait(s, run, &c, f);
}

int step_still_open(const Step *s, Run *run, Failure *f)
{
        char names[512] = "";

        if (!run_can_climb(run) &&
                step_find_users(run, step_get(s, "dev"), names, sizeof(names)) <= 0)
                *names = '\0';
        return failure_set(f, FAILURE_BUSY, -EBUSY, step_node(s), "it is still open%s%s; %s",
                *names ? " in " : "", names,
                *names ? "stop them and ask again"
                       : "no process shows it: look for mounts, swap areas, loop devices and "
                         "exports on it");
}
