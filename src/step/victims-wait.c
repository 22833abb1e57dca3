/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting for processes, and telling who is waited for: nobody should have to guess why nothing
 * happens. The parent hears it at once, whenever it changes and every few seconds; the ledger only
 * what has changed. */

#include <poll.h>
#include <signal.h>

#include "step/victims.h"
#include "sys/pidfd.h"
#include "sys/proc.h"

#define TELL_USEC (5 * USEC_PER_SEC)
/* Hundreds that leave one by one are not hundreds of lists. */
#define TELL_AGAIN_USEC (250 * USEC_PER_MSEC)
/* The first looks come quickly: most who let go without exiting do so at once. */
#define LOOK_FIRST_USEC (100 * USEC_PER_MSEC)
#define LOOK_MAX_USEC (2 * USEC_PER_SEC)
/* A look may take a twentieth of the time. */
#define LOOK_SHARE 20
#define NAMED_MAX 16

typedef struct Wait {
        const Step *step;
        Victims *victims;
        uint64_t deadline_usec;
        uint64_t look_usec; /* next look, USEC_INFINITY: none */
        uint64_t pause_usec;
        uint64_t tell_usec;   /* it is told again then ... */
        uint64_t change_usec; /* ... or when somebody left, but not before this */
        size_t told;          /* how many were awaited when it was told last */
} Wait;

/* One more than those awaited: the parent's socket, so that a cancel wakes the wait. */
static int poll_victims(const Victims *v, int cancel_fd, int timeout_ms)
{
        _cleanup_(freep) struct pollfd *fds = calloc(v->n + 1, sizeof(*fds));
        size_t n = 0;

        if (!fds)
                return -ENOMEM;
        for (size_t i = 0; i < v->n; i++)
                if (v->items[i].state == VICTIM_HOLDS)
                        fds[n++] = (struct pollfd){ .fd = v->items[i].pidfd, .events = POLLIN };
        fds[n++] = (struct pollfd){ .fd = cancel_fd, .events = POLLIN };
        return poll(fds, n, timeout_ms) < 0 && errno != EINTR ? -errno : 0;
}

/* SIGKILL has a record already that says how this one ends. */
static int note_left(Run *run, const Victim *victim)
{
        char pid[16];

        if (victim->asked == 0 || victim->asked == SIGKILL)
                return 0;
        (void)snprintf(pid, sizeof(pid), "%d", victim->pid);
        return run_note(run, "left", pid, "comm", victim->comm, "unit", victim->unit, "signal",
                signal_name(victim->asked), NULL);
}

static int take_exits(Run *run, Victims *v)
{
        int r = 0;

        for (size_t i = 0; i < v->n && r == 0; i++) {
                Victim *victim = &v->items[i];

                if (victim->state != VICTIM_HOLDS || pidfd_exited(victim->pidfd) <= 0)
                        continue;
                victim->state = VICTIM_GONE;
                r = note_left(run, victim);
        }
        return r;
}

/* A stopped process obeys when somebody continues it; in state D it waits for the kernel. */
static const char *hint(pid_t pid)
{
        switch (proc_state(pid)) {
        case 'T':
        case 't':
                return " (stopped)";
        case 'D':
                return " (sleeps in the kernel)";
        default:
                return "";
        }
}

/* Each one is a Record of its own in a value of this one. */
static int add_awaited(Record *r, const Victim *victim, size_t number)
{
        _cleanup_(record_freep) Record *one = NULL;
        _cleanup_(freep) char *line = NULL;
        char key[16], pid[16];
        int e;

        (void)snprintf(pid, sizeof(pid), "%d", victim->pid);
        (void)snprintf(key, sizeof(key), "%zu", number);
        one = record_new("process", pid);
        if (!one)
                return -ENOMEM;
        e = record_set(one, "comm", victim->comm);
        if (e == 0)
                e = record_set(one, "unit", victim->unit);
        if (e == 0)
                e = record_setf(one, "uses", "%s%s", victim->uses, hint(victim->pid));
        line = e == 0 ? record_print(one) : NULL;
        return line ? record_set(r, key, line) : e < 0 ? e : -ENOMEM;
}

static int tell_record(Run *run, const Wait *w, const char *text)
{
        _cleanup_(record_freep) Record *r = record_new("awaited", NULL);
        size_t n = 0;
        int e = r ? record_set(r, "text", text) : -ENOMEM;

        for (size_t i = 0; i < w->victims->n && n < NAMED_MAX && e == 0; i++)
                if (w->victims->items[i].state == VICTIM_HOLDS)
                        e = add_awaited(r, &w->victims->items[i], ++n);
        if (e == 0)
                run_tell(run, r);
        return e;
}

static void seconds_left(const Wait *w, char buf[static 48])
{
        uint64_t now = now_usec(), left = w->deadline_usec > now ? w->deadline_usec - now : 0;
        char span[TIMESPAN_MAX];

        left = (left + USEC_PER_SEC - 1) / USEC_PER_SEC * USEC_PER_SEC;
        (void)snprintf(buf, 48, "; at most %s more", format_timespan(span, left));
}

/* Nobody can be awaited again within a wait, so another number is another set. */
static int tell(Run *run, Wait *w)
{
        size_t alive = victims_alive(w->victims);
        uint64_t now = now_usec();
        char names[320], left[48], text[400];

        if (alive != w->told)
                w->tell_usec = w->change_usec;
        if (now < w->tell_usec)
                return 0;
        (void)victims_names(w->victims, names, sizeof(names));
        if (alive != w->told)
                run_progress(run, w->step, "waiting for %s", names);
        w->told = alive;
        w->tell_usec = now + TELL_USEC;
        w->change_usec = now + TELL_AGAIN_USEC;
        seconds_left(w, left);
        (void)snprintf(text, sizeof(text), "waiting for %s%s", names, left);
        return tell_record(run, w, alive > 0 ? text : NULL);
}

static int look(Run *run, Wait *w)
{
        uint64_t before = now_usec(), after;
        int r;

        if (before < w->look_usec)
                return 0;
        r = victims_look(run, w->step, w->victims);
        after = now_usec();
        w->pause_usec = MIN_OF(2 * w->pause_usec, LOOK_MAX_USEC);
        w->look_usec = after + MAX_OF(w->pause_usec, LOOK_SHARE * (after - before));
        return r;
}

static int wait_once(Run *run, Wait *w, Failure *f)
{
        uint64_t until = MIN_OF(w->deadline_usec, MIN_OF(w->look_usec, w->tell_usec));
        int r = run_check_cancel(run, f);

        if (r == 0)
                r = poll_victims(w->victims, run_cancel_fd(run), poll_timeout_ms(until));
        if (r == 0)
                r = take_exits(run, w->victims);
        return r < 0 ? r : look(run, w);
}

int victims_wait(Run *run, const Step *s, Victims *v, bool look, uint64_t deadline_usec, Failure *f)
{
        Wait w = {
                .step = s,
                .victims = v,
                .deadline_usec = deadline_usec,
                .look_usec = look ? now_usec() + LOOK_FIRST_USEC : USEC_INFINITY,
                .pause_usec = LOOK_FIRST_USEC,
        };
        int r = take_exits(run, v);

        while (r == 0 && victims_alive(v) > 0 && now_usec() < deadline_usec) {
                r = tell(run, &w);
                if (r == 0)
                        r = wait_once(run, &w, f);
        }
        if (w.told > 0)
                (void)tell_record(run, &(Wait){ .step = s, .victims = &(Victims){ 0 } }, NULL);
        return r < 0 ? r : (int)victims_alive(v);
}
