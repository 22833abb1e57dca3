/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shared by steps; see the header. Processes are signalled and awaited by pidfd only: exits are
 * announced, never polled for, and a reused pid is never hit. */

#include "step/common.h"

#include <inttypes.h>
#include <poll.h>

#include "plan.h"
#include "sys/child.h"
#include "sys/pidfd.h"
#include "sys/proc-hints.h"
#include "sys/proc-pins.h"
#include "sys/proc.h"
#include "sys/units.h"

#define SCAN_TIMEOUT_USEC (30 * USEC_PER_SEC)
#define HINTS_TIMEOUT_USEC (10 * USEC_PER_SEC)
#define PROGRESS_MS 1000

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

typedef struct Devs {
        dev_t *items;
        size_t n;
} Devs;

static void devs_done(Devs *d)
{
        free(d->items);
}

static int devs_parse(const char *text, Devs *d)
{
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = strv_split(strempty(text), &words);
        if (r < 0)
                return r;
        d->items = calloc(strv_length(words) + 1, sizeof(dev_t));
        if (!d->items)
                return -ENOMEM;
        for (char **w = words; w && *w; w++) {
                r = parse_devnum(*w, &d->items[d->n++]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* devs: of filesystems; nodes: of character devices, wherever their nodes lie. */
static int scan(const char *devs, const char *nodes, ProcList *l)
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
        if (scan(devs, NULL, &l) < 0)
                return;
        name_found(run, &l, buf, size);
        if (l.n == 0)
                name_suspects(devs, buf, size);
}

int step_find_users(Run *run, const char *nodes, char *buf, size_t size)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        int r = scan(NULL, nodes, &l);

        if (r < 0)
                return r;
        if (buf)
                name_found(run, &l, buf, size);
        return l.n > 0;
}

int step_find_pins(const char *nodes, char *buf, size_t size)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        int r = scan(NULL, nodes, &l);

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

static bool is_protected(const Step *s, const ProcHolder *p, const char *unit)
{
        _cleanup_(strv_freep) char **units = NULL, **processes = NULL;

        if (p->kernel_thread || p->pid == 1)
                return true;
        if (strv_split(strempty(step_get(s, "protect-units")), &units) < 0 ||
                strv_split(strempty(step_get(s, "protect-processes")), &processes) < 0)
                return true;
        return strv_fnmatch(units, unit) || strv_fnmatch(processes, p->comm);
}

static int note_newcomer(Run *run, const ProcHolder *p, const char *unit)
{
        char pid[16], start[24], uses[PROC_USES_MAX];

        (void)snprintf(pid, sizeof(pid), "%d", p->pid);
        (void)snprintf(start, sizeof(start), "%" PRIu64, p->start);
        return run_note(run, "newcomer", pid, "start", start, "comm", p->comm, "unit", unit, "uses",
                proc_uses_format(p->uses, uses), "example", p->example, NULL);
}

int step_find_newcomers(Run *run, const Step *s, const char *devs, Failure *f)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        int r, found = 0;

        r = scan(devs, step_get(s, "nodes"), &l);
        if (r == -ETIMEDOUT && l.stuck > 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "could not look for processes that came since the plan: process %d blocks "
                        "whoever looks at it; end it and ask again",
                        l.stuck);
        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "could not look for processes that came since the plan: %s", strerror(-r));
        for (size_t i = 0; i < l.n; i++) {
                const ProcHolder *p = &l.items[i];
                char unit[256] = "";

                if (is_known(run, p))
                        continue;
                if (unit_of_pid(p->pid, unit, sizeof(unit)) < 0)
                        *unit = '\0';
                if (is_protected(s, p, unit))
                        return failure_set(f, FAILURE_PROTECTED, -EPERM, step_node(s),
                                "%d (%s) came since the plan and is protected", p->pid, p->comm);
                r = note_newcomer(run, p, unit);
                if (r < 0)
                        return r;
                found++;
        }
        return found;
}

/* --- victims --- */

void victims_done(Victims *v)
{
        for (size_t i = 0; i < v->n; i++)
                (void)safe_close(v->items[i].pidfd);
        free(v->items);
}

static int add_victim(Victims *v, const Record *r, pid_t pid, int pidfd)
{
        Victim *grown = reallocarray(v->items, v->n + 1, sizeof(Victim));

        if (!grown)
                return -ENOMEM;
        v->items = grown;
        v->items[v->n] = (Victim){ .pid = pid, .pidfd = pidfd };
        (void)snprintf(
                grown[v->n].comm, sizeof(grown->comm), "%s", strempty(record_get(r, "comm")));
        (void)snprintf(
                grown[v->n].unit, sizeof(grown->unit), "%s", strempty(record_get(r, "unit")));
        (void)snprintf(
                grown[v->n].uses, sizeof(grown->uses), "%s", strempty(record_get(r, "uses")));
        v->n++;
        return 0;
}

bool process_uses(const Record *process, const char *namespace)
{
        _cleanup_(strv_freep) char **names = NULL;
        const char *text = record_get(process, "namespaces");

        return !text || strv_split(text, &names) < 0 || strv_contains(names, namespace);
}

int victims_open(Run *run, const char *namespace, Victims *v)
{
        const Record *r;

        for (size_t i = 0; (r = run_process(run, i)); i++) {
                _cleanup_(closep) int pidfd = -EBADF;
                uint64_t start;
                pid_t pid;
                int e;

                if (namespace && !process_uses(r, namespace))
                        continue;
                if (parse_pid(strempty(r->name), &pid) < 0 ||
                        record_get_u64(r, "start", &start) < 0)
                        return -EBADMSG;
                pidfd = pidfd_open_checked(pid, start);
                if (pidfd == -ESRCH)
                        continue;
                if (pidfd < 0)
                        return pidfd;
                e = add_victim(v, r, pid, pidfd);
                if (e < 0)
                        return e;
                (void)TAKE_FD(pidfd);
        }
        return 0;
}

size_t victims_alive(const Victims *v)
{
        size_t n = 0;

        for (size_t i = 0; i < v->n; i++)
                n += !v->items[i].gone;
        return n;
}

const char *victims_names(const Victims *v, char *buf, size_t size)
{
        *buf = '\0';
        for (size_t i = 0; i < v->n; i++)
                if (!v->items[i].gone)
                        append_name(buf, size, v->items[i].pid, v->items[i].comm);
        return buf;
}

static int note_signal(Run *run, const Victim *victim, int sig, const char *why)
{
        char pid[16];

        (void)snprintf(pid, sizeof(pid), "%d", victim->pid);
        return run_note(run, sig == SIGKILL ? "killed" : "signalled", pid, "comm", victim->comm,
                "unit", victim->unit, "signal", signal_name(sig), "uses", victim->uses, "reason",
                why, NULL);
}

int victims_signal(Run *run, Victims *v, int sig, const char *why)
{
        for (size_t i = 0; i < v->n; i++) {
                Victim *victim = &v->items[i];
                int r;

                if (victim->gone)
                        continue;
                r = pidfd_signal(victim->pidfd, sig);
                if (r == -ESRCH) {
                        victim->gone = true;
                        continue;
                }
                if (r == 0)
                        r = note_signal(run, victim, sig, why);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One more than the living: the parent's socket, so that a cancel wakes the wait. */
static int poll_alive(const Victims *v, int cancel_fd, int timeout_ms)
{
        _cleanup_(freep) struct pollfd *fds = calloc(v->n + 1, sizeof(*fds));
        size_t n = 0;

        if (!fds)
                return -ENOMEM;
        for (size_t i = 0; i < v->n; i++)
                if (!v->items[i].gone)
                        fds[n++] = (struct pollfd){ .fd = v->items[i].pidfd, .events = POLLIN };
        fds[n++] = (struct pollfd){ .fd = cancel_fd, .events = POLLIN };
        return poll(fds, n, timeout_ms) < 0 && errno != EINTR ? -errno : 0;
}

static void mark_gone(Victims *v)
{
        for (size_t i = 0; i < v->n; i++)
                if (!v->items[i].gone && pidfd_exited(v->items[i].pidfd) > 0)
                        v->items[i].gone = true;
}

int victims_wait(Run *run, const Step *s, Victims *v, uint64_t deadline_usec, Failure *f)
{
        char names[256];

        for (mark_gone(v); victims_alive(v) > 0 && now_usec() < deadline_usec; mark_gone(v)) {
                int r = run_check_cancel(run, f);

                if (r < 0)
                        return r;
                r = poll_alive(
                        v, run_cancel_fd(run), MIN_OF(PROGRESS_MS, poll_timeout_ms(deadline_usec)));
                if (r < 0)
                        return r;
                run_progress(run, s, "waiting for %s", victims_names(v, names, sizeof(names)));
        }
        return (int)victims_alive(v);
}

/* --- taking something down --- */

int step_call(const Step *s, Run *run, int (*fn)(void *), Failure *f)
{
        int r;

        do {
                r = child_call(fn, (void *)s, step_get_u64(s, "wait"), run_cancel_fd(run));
        } while (r == -ECANCELED && run_check_cancel(run, f) == 0);
        return r;
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
