/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "step/victims.h"

#include <inttypes.h>
#include <signal.h>

#include "step/holds.h"
#include "sys/cgroup.h"
#include "sys/pidfd.h"

void victims_done(Victims *v)
{
        for (size_t i = 0; i < v->n; i++)
                (void)safe_close(v->items[i].pidfd);
        free(v->items);
}

static int add_victim(Victims *v, const Record *r, pid_t pid, uint64_t start, int pidfd)
{
        Victim *grown = reallocarray(v->items, v->n + 1, sizeof(Victim)), *new;

        if (!grown)
                return -ENOMEM;
        v->items = grown;
        new = &grown[v->n++];
        *new = (Victim){ .pid = pid, .start = start, .pidfd = pidfd };
        (void)snprintf(new->comm, sizeof(new->comm), "%s", strempty(record_get(r, "comm")));
        (void)snprintf(new->unit, sizeof(new->unit), "%s", strempty(record_get(r, "unit")));
        (void)snprintf(new->uses, sizeof(new->uses), "%s", strempty(record_get(r, "uses")));
        return 0;
}

bool process_uses(const Record *process, const char *namespace)
{
        _cleanup_(strv_freep) char **names = NULL;
        const char *text = record_get(process, "namespaces");

        return !text || strv_split(text, &names) < 0 || strv_contains(names, namespace);
}

static int open_victim(Run *run, const Record *r, Victims *v)
{
        _cleanup_(closep) int pidfd = -EBADF;
        uint64_t start;
        pid_t pid;
        int e;

        if (parse_pid(strempty(r->name), &pid) < 0 || record_get_u64(r, "start", &start) < 0)
                return -EBADMSG;
        if (holds_no_more(run, r->name, start))
                return 0;
        pidfd = pidfd_open_checked(pid, start);
        if (pidfd < 0)
                return pidfd == -ESRCH ? 0 : pidfd;
        /* One that nobody has reaped takes every signal. */
        if (pidfd_exited(pidfd) > 0)
                return 0;
        e = add_victim(v, r, pid, start, pidfd);
        if (e == 0)
                (void)TAKE_FD(pidfd);
        return e;
}

int victims_open(Run *run, const char *namespace, Victims *v)
{
        const Record *r;

        for (size_t i = 0; (r = run_process(run, i)); i++) {
                int e;

                if (namespace && !process_uses(r, namespace))
                        continue;
                e = open_victim(run, r, v);
                if (e < 0)
                        return e;
        }
        return 0;
}

size_t victims_alive(const Victims *v)
{
        size_t n = 0;

        for (size_t i = 0; i < v->n; i++)
                n += v->items[i].state == VICTIM_HOLDS;
        return n;
}

/* Names as long as there is room for one more and the number of the rest. */
const char *victims_names(const Victims *v, char *buf, size_t size)
{
        size_t used = 0, left = victims_alive(v);

        *buf = '\0';
        for (size_t i = 0; i < v->n; i++) {
                const Victim *victim = &v->items[i];

                if (victim->state != VICTIM_HOLDS)
                        continue;
                if (used + sizeof(victim->comm) + sizeof(", 4194304 () and 4194304 more") > size) {
                        (void)snprintf(buf + used, size - used, " and %zu more", left);
                        break;
                }
                used += (size_t)snprintf(buf + used, size - used, "%s%d (%s)", used ? ", " : "",
                        victim->pid, victim->comm);
                left--;
        }
        return buf;
}

/* --- who has let go --- */

static bool is_found(const ProcList *l, Victim *victim)
{
        unsigned uses = 0;

        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].pid == victim->pid && l->items[i].start == victim->start)
                        uses |= l->items[i].uses;
        if (uses != 0)
                (void)proc_uses_format(uses, victim->uses);
        return uses != 0;
}

static int note_let_go(Run *run, Victim *victim)
{
        char pid[16];

        /* Meanwhile; the wait tells that. */
        if (pidfd_exited(victim->pidfd) > 0)
                return 0;
        victim->state = VICTIM_LET_GO;
        (void)snprintf(pid, sizeof(pid), "%d", victim->pid);
        return holds_note(run, pid, victim->start, victim->comm, false);
}

int victims_look(Run *run, const Step *s, Victims *v)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        _cleanup_(freep) pid_t *pids = calloc(v->n + 1, sizeof(pid_t));
        size_t n = 0;
        int r = 0;

        if (!pids)
                return -ENOMEM;
        for (size_t i = 0; i < v->n; i++)
                if (v->items[i].state == VICTIM_HOLDS)
                        pids[n++] = v->items[i].pid;
        /* Unknown counts as held. */
        if (n == 0 || holds_check(s, pids, n, &l) < 0)
                return 0;
        for (size_t i = 0; i < v->n && r == 0; i++)
                if (v->items[i].state == VICTIM_HOLDS && !is_found(&l, &v->items[i]))
                        r = note_let_go(run, &v->items[i]);
        return r;
}

/* --- signals --- */

/* Each killed process has one record, however often it is hit: SIGKILL of a rung, and LastSignal=
 * when it sleeps in the kernel for longer than that rung waited. */
static bool was_killed(const Run *run, const char *pid, uint64_t start)
{
        const Record *r = run_recall(run, "killed", pid);
        uint64_t then;

        return r && record_get_u64(r, "start", &then) == 0 && then == start;
}

static int note_signal(Run *run, const Victim *victim, int sig, const char *why)
{
        char pid[16], start[24];
        bool kills;

        (void)snprintf(pid, sizeof(pid), "%d", victim->pid);
        (void)snprintf(start, sizeof(start), "%" PRIu64, victim->start);
        kills = sig == SIGKILL && !was_killed(run, pid, victim->start);
        return run_note(run, kills ? "killed" : "signalled", pid, "start", start, "comm",
                victim->comm, "unit", victim->unit, "signal", signal_name(sig), "uses",
                victim->uses, "reason", why, NULL);
}

/* The freezer of cgroup v2 lets SIGKILL through and keeps everything else for the thaw (kernel/
 * signal.c get_signal, 6.1 and 6.12), which can be after a removal that was undone: such a signal
 * would end a process for nothing. */
static int spare_frozen(Run *run, Victim *victim, int sig)
{
        Cgroup cgroup;
        char pid[16], text[160];

        if (sig == SIGKILL || cgroup_of_pid(victim->pid, &cgroup) < 0 || !cgroup.frozen)
                return 0;
        victim->state = VICTIM_SPARED;
        (void)snprintf(pid, sizeof(pid), "%d", victim->pid);
        (void)snprintf(text, sizeof(text),
                "process %d (%s) was not sent %s: its cgroup is frozen, and it would get it when "
                "that is thawed",
                victim->pid, victim->comm, signal_name(sig));
        return run_note(run, "warn", pid, "text", text, NULL);
}

static int signal_victim(Run *run, Victim *victim, int sig, const char *why)
{
        int r;

        if (pidfd_exited(victim->pidfd) > 0) {
                victim->state = VICTIM_GONE;
                return 0;
        }
        r = spare_frozen(run, victim, sig);
        if (r < 0 || victim->state != VICTIM_HOLDS)
                return r;
        r = pidfd_signal(victim->pidfd, sig);
        if (r == -ESRCH) {
                victim->state = VICTIM_GONE;
                return 0;
        }
        victim->asked = sig;
        return r < 0 ? r : note_signal(run, victim, sig, why);
}

int victims_signal(Run *run, Victims *v, int sig, const char *why)
{
        int r = 0;

        for (size_t i = 0; i < v->n && r == 0; i++)
                if (v->items[i].state == VICTIM_HOLDS)
                        r = signal_victim(run, &v->items[i], sig, why);
        return r;
}
