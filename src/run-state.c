/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a run offers to its steps: to write into its ledger, to ask what was written, to hold
 * something for a later one. */

#include <sys/socket.h>

#include "run-internal.h"
#include "util/text.h"

#define PROGRESS_EVERY_USEC USEC_PER_SEC

const Plan *run_plan_of(const Run *run)
{
        return run->ledger->plan;
}

bool run_only_planned(const Run *run)
{
        return run->ledger->request->plan_id;
}

bool run_committed(const Run *run)
{
        return run->committed;
}

int run_cancel_fd(const Run *run)
{
        return run->committed ? -EBADF : run->socket_fd;
}

bool run_has_climbed(const Run *run)
{
        return run->rung > 1;
}

bool run_can_climb(const Run *run)
{
        return !run->committed && run->rung < run->ledger->plan->n_roads;
}

/* Never waits: a parent that is stopped must not keep a filesystem frozen. */
static bool send_record(const Run *run, const Record *r)
{
        _cleanup_(freep) char *line = record_print(r);
        size_t size = line ? strlen(line) : 0;

        return size > 0 && size <= RUN_LINE_MAX &&
               send(run->socket_fd, line, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/* A thousand that are killed at once are more words than a socket holds. Whoever is not told of a
 * commit, or of a freeze, says that it can be cancelled, and looks at what must not be looked at.
 * So nothing is sent past a gap until the parent knows of it: it reads the piece from the ledger.
 */
void run_catch_up(Run *run)
{
        _cleanup_(record_freep) Record *r = NULL;

        if (!run->missed || run->socket_fd < 0)
                return;
        r = record_new("missed", NULL);
        if (r && record_setf(r, "until", "%zu", run->ledger->n_records) == 0)
                run->missed = !send_record(run, r);
}

void run_tell(Run *run, const Record *r)
{
        run_catch_up(run);
        if (run->socket_fd >= 0 && !run->missed)
                (void)send_record(run, r);
}

static int note_record(Run *run, const Record *r)
{
        int e;

        run_catch_up(run);
        e = ledger_append(run->ledger, r);
        if (run->socket_fd >= 0 && !run->missed)
                run->missed = !send_record(run, r);
        return e;
}

/* Past the commit point nothing that cannot be written, a full /run or no memory for the words,
 * makes a step that did its work one that failed: that would be reverted, and the memory bound
 * again. */
int run_note(Run *run, const char *verb, const char *name, ...)
{
        _cleanup_(record_freep) Record *r = record_new(verb, name);
        const char *key;
        va_list ap;
        int e = r ? 0 : -ENOMEM;

        va_start(ap, name);
        while (e == 0 && (key = va_arg(ap, const char *))) {
                const char *value = va_arg(ap, const char *);

                if (value)
                        e = record_set(r, key, value);
        }
        va_end(ap);
        if (e == 0)
                e = note_record(run, r);
        return run->committed ? 0 : e;
}

void run_progress(Run *run, const Step *s, const char *fmt, ...)
{
        char text[512], number[16];
        uint64_t now = now_usec();
        va_list ap;

        run_catch_up(run);
        if (now - run->last_progress_usec < PROGRESS_EVERY_USEC)
                return;
        run->last_progress_usec = now;
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        /* What sleeps for days must not fill the disk that the ledger is on. */
        if (streq(text, run->last_progress))
                return;
        memcpy(run->last_progress, text, sizeof(text));
        (void)run_note(run, "progress", run_step_number(s, number), "text", text, NULL);
}

const Record *run_recall(const Run *run, const char *verb, const char *name)
{
        const Ledger *l = run->ledger;

        for (size_t i = l->n_records; i > 0; i--) {
                const Record *r = l->records[i - 1];

                if (streq(r->verb, verb) && (!name || (r->name && streq(r->name, name))))
                        return r;
        }
        return NULL;
}

const Record *run_noted(const Run *run, const char *verb, size_t i)
{
        const Ledger *l = run->ledger;

        for (size_t k = 0; k < l->n_records; k++)
                if (streq(l->records[k]->verb, verb) && i-- == 0)
                        return l->records[k];
        return NULL;
}

const Record *run_process(const Run *run, size_t i)
{
        const Plan *p = run->ledger->plan;

        return i < p->n_processes ? p->processes[i]
                                  : run_noted(run, "newcomer", i - p->n_processes);
}

void run_facts(const Run *run, RunFacts *ret)
{
        const Request *req = run->ledger->request;

        *ret = (RunFacts){
                .id = run->ledger->id,
                .target = req->target,
                .reason = req->reason,
                .transaction = req->transaction_id,
                .road = plan_road(run->ledger->plan, run->rung),
        };
}

/* The last that was said about its freeze, NULL: nothing ever. */
static const char *frost_of(const Run *run, const char *filesystem)
{
        static const char *const verbs[] = { "freezing", "frozen", "not-frozen", "thawed" };
        const Ledger *l = run->ledger;

        for (size_t i = l->n_records; i > 0; i--)
                for (size_t k = 0; k < ELEMENTSOF(verbs); k++)
                        if (streq(l->records[i - 1]->verb, verbs[k]) &&
                                streq(strempty(l->records[i - 1]->name), filesystem))
                                return verbs[k];
        return NULL;
}

bool run_frozen(const Run *run, const char *filesystem)
{
        const char *last = strempty(frost_of(run, filesystem));

        return streq(last, "freezing") || streq(last, "frozen");
}

bool run_not_frozen(const Run *run, const char *filesystem)
{
        return streq(strempty(frost_of(run, filesystem)), "not-frozen");
}

bool run_is_old(const Run *run)
{
        return run->ledger->old;
}

bool run_began(const Run *run, const Step *s)
{
        return ledger_began(run->ledger, s->number);
}

bool run_stands(const Run *run, const char *op)
{
        const Plan *p = run->ledger->plan;

        for (size_t i = 0; i < p->n_steps; i++)
                if (streq(p->steps[i].ops->name, op) &&
                        ledger_began(run->ledger, p->steps[i].number))
                        return true;
        return false;
}

bool run_failed(const Run *run)
{
        const Ledger *l = run->ledger;

        for (size_t i = l->n_records; i > 0; i--) {
                const char *verb = l->records[i - 1]->verb;

                if (streq(verb, "fail") || streq(verb, "climb"))
                        return streq(verb, "fail");
        }
        return false;
}

int run_commit(Run *run)
{
        int r = run->committed ? 0 : run_note(run, "committed", NULL, NULL);

        run->committed |= r == 0;
        return r;
}

static int hold(Run *run, const char *what, const char *name, Held h)
{
        Held *grown = reallocarray(run->held, run->n_held + 1, sizeof(Held));

        if (!grown)
                return -ENOMEM;
        run->held = grown;
        h.what = what;
        h.name = strdup(name);
        if (!h.name)
                return -ENOMEM;
        run->held[run->n_held++] = h;
        return 0;
}

int run_hold(Run *run, const char *what, const char *name, int fd)
{
        return hold(run, what, name, (Held){ .fd = fd });
}

int run_hold_object(
        Run *run, const char *what, const char *name, void *object, void (*drop)(void *))
{
        return hold(run, what, name, (Held){ .fd = -EBADF, .object = object, .drop = drop });
}

static bool is_it(const Held *h, const char *what, const char *name)
{
        return streq(h->what, what) && streq(h->name, name);
}

const Held *run_held(const Run *run, const char *what, const char *name)
{
        for (size_t i = 0; i < run->n_held; i++)
                if (is_it(&run->held[i], what, name))
                        return &run->held[i];
        return NULL;
}

static void let_go(Held *h)
{
        (void)safe_close(h->fd);
        if (h->drop)
                h->drop(h->object);
        free(h->name);
}

void run_drop(Run *run, const char *what, const char *name)
{
        for (size_t i = 0; i < run->n_held; i++) {
                if (!is_it(&run->held[i], what, name))
                        continue;
                let_go(&run->held[i]);
                run->held[i] = run->held[--run->n_held];
                return;
        }
}

void run_let_go(Run *run)
{
        for (size_t i = 0; i < run->n_held; i++)
                let_go(&run->held[i]);
        free(run->held);
}
