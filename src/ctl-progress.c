/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a running removal looks like. On a terminal the list of steps is drawn again in place; in a
 * pipe every change is one line, written out at once. Times are the client's own: the daemon tells
 * what runs, not since when. It never waits and never asks the bus. */

#include "ctl.h"

#define MAX_BLOCKERS 5

typedef struct StepClock {
        char *state;
        uint64_t begin_usec;
        uint64_t took_usec;
} StepClock;

struct Progress {
        bool live;
        bool silent;
        bool utf8;
        uint64_t begin_usec;
        unsigned drawn; /* lines on the screen that the next drawing replaces */
        StepClock *clocks;
        size_t n_clocks;
        char *state;
        char *blockers;
        char *awaited;
        size_t n_killed;
};

static const struct {
        const char *state, *utf8, *ascii;
} marks[] = {
        { "pending", "·", "." },
        { "running", "▶", ">" },
        { "done", "✓", "+" },
        { "failed", "✗", "x" },
        { "reverted", "↶", "<" },
        { "skipped", "–", "-" },
};

Progress *progress_new(const Ctl *c)
{
        Progress *p = calloc(1, sizeof(Progress));

        if (!p)
                return NULL;
        p->silent = c->quiet || c->json;
        p->live = !p->silent && terminal_is_live();
        p->utf8 = terminal_is_utf8();
        p->begin_usec = now_usec();
        return p;
}

Progress *progress_free(Progress *p)
{
        if (!p)
                return NULL;
        for (size_t i = 0; i < p->n_clocks; i++)
                free(p->clocks[i].state);
        free(p->clocks);
        free(p->state);
        free(p->blockers);
        free(p->awaited);
        free(p);
        return NULL;
}

bool progress_is_live(const Progress *p)
{
        return p->live;
}

static void step_line(FILE *f, const Value *steps, size_t i)
{
        const char *node = value_cell(steps, i, STEP_NODE);

        fprintf(f, "%s %s%s%s", value_cell(steps, i, STEP_NUMBER), value_cell(steps, i, STEP_NAME),
                *node ? " " : "", node);
}

static int clocks_resize(Progress *p, size_t n)
{
        StepClock *grown;

        if (n <= p->n_clocks)
                return 0;
        grown = reallocarray(p->clocks, n, sizeof(StepClock));
        if (!grown)
                return -ENOMEM;
        memset(grown + p->n_clocks, 0, (n - p->n_clocks) * sizeof(StepClock));
        p->clocks = grown;
        p->n_clocks = n;
        return 0;
}

/* What is only planned, and what another road would have done, is no event. */
static bool is_event(const StepClock *k, const char *state)
{
        bool begun = k->state && !streq(k->state, "pending");

        return begun || !(streq(state, "pending") || streq(state, "skipped"));
}

static void step_changed(Progress *p, const Dict *removal, size_t i, const char *state)
{
        const Value *steps = dict_get(removal, "step-states");
        StepClock *k = &p->clocks[i];
        char took[32];

        if (streq(state, "running"))
                k->begin_usec = now_usec();
        else if (k->begin_usec > 0 && k->took_usec == 0)
                k->took_usec = now_usec() - k->begin_usec;
        if (p->live || p->silent || !is_event(k, state))
                return;
        printf("%s: step ", dict_string(removal, "target"));
        step_line(stdout, steps, i);
        printf(": %s", state);
        if (k->took_usec > 0 && !streq(state, "reverted"))
                printf(" (%s)", format_seconds(took, k->took_usec));
        putchar('\n');
}

static void update_steps(Progress *p, const Dict *removal)
{
        const Value *steps = dict_get(removal, "step-states");
        size_t n = value_rows(steps);

        if (clocks_resize(p, n) < 0)
                return;
        for (size_t i = 0; i < n; i++) {
                const char *state = value_cell(steps, i, STEP_STATE);

                if (p->clocks[i].state && streq(p->clocks[i].state, state))
                        continue;
                step_changed(p, removal, i, state);
                text_keep(&p->clocks[i].state, state);
        }
}

static void print_killed(FILE *f, const Dict *removal, size_t first, const char *lead)
{
        const Value *killed = dict_get(removal, "killed");

        for (size_t i = first; i < value_rows(killed); i++)
                fprintf(f, "%skilled %s %s: %s\n", lead, value_cell(killed, i, KILL_PID),
                        value_cell(killed, i, KILL_COMMAND), value_cell(killed, i, KILL_WHY));
}

static void print_hold(FILE *f, const Dict *removal, const char *lead)
{
        if (streq(dict_string(removal, "state"), "waiting"))
                fprintf(f, "%swaits for 'pmemremovectl confirm %s'\n", lead,
                        dict_string(removal, "id"));
}

/* What is in its way and who it waits for, as one text. */
static char *waiting_text(const Dict *removal, const char *indent, bool processes)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        print_blockers(f, dict_get(removal, "blockers"), indent, MAX_BLOCKERS);
        if (processes)
                print_awaited(f, removal, "   ");
        (void)memstream_close(f, &text);
        return text;
}

static void update_state(Progress *p, const Dict *removal, const char *lead)
{
        const char *state = dict_string(removal, "state");

        if (p->state && streq(p->state, state))
                return;
        printf("%s%s\n", lead, state);
        print_hold(stdout, removal, lead);
        text_keep(&p->state, state);
}

static void update_blockers(Progress *p, const Dict *removal)
{
        _cleanup_(freep) char *lead = NULL, *blockers = NULL;

        lead = string_printf("%s: in the way: ", dict_string(removal, "target"));
        blockers = lead ? waiting_text(removal, lead, false) : NULL;
        if (!blockers || streq(blockers, strempty(p->blockers)))
                return;
        fputs(blockers, stdout);
        text_keep(&p->blockers, blockers);
}

static void update_awaited(Progress *p, const Dict *removal, const char *lead)
{
        const char *message = awaited_message(removal);

        if (streq(message, strempty(p->awaited)))
                return;
        if (*message)
                printf("%s%s\n", lead, message);
        text_keep(&p->awaited, message);
}

static void update_lines(Progress *p, const Dict *removal)
{
        _cleanup_(freep) char *lead = string_printf("%s: ", dict_string(removal, "target"));
        bool over = removal_is_over(removal);

        if (!lead)
                return;
        if (!over)
                update_state(p, removal, lead);
        update_steps(p, removal);
        print_killed(stdout, removal, p->n_killed, lead);
        p->n_killed = value_rows(dict_get(removal, "killed"));
        if (!over)
                update_awaited(p, removal, lead);
        if (!over)
                update_blockers(p, removal);
        else
                update_state(p, removal, lead);
        (void)fflush(stdout);
}

static const char *mark(const Progress *p, const char *state)
{
        for (size_t i = 0; i < ELEMENTSOF(marks); i++)
                if (streq(marks[i].state, state))
                        return p->utf8 ? marks[i].utf8 : marks[i].ascii;
        return "?";
}

static void draw_step(const Progress *p, FILE *f, const Value *steps, size_t i)
{
        const StepClock *k = &p->clocks[i];
        uint64_t usec = k->took_usec;
        char took[32];

        if (k->state && streq(k->state, "running"))
                usec = now_usec() - k->begin_usec;
        fprintf(f, " %s ", mark(p, strempty(k->state)));
        step_line(f, steps, i);
        if (usec > 0)
                fprintf(f, "  %s", format_seconds(took, usec));
        fputc('\n', f);
}

/* As many steps as the screen holds, the running one among them: what has scrolled away can not be
 * drawn again. */
static void draw_steps(const Progress *p, FILE *f, const Dict *removal, size_t room)
{
        const Value *steps = dict_get(removal, "step-states");
        size_t n = MIN_OF(value_rows(steps), p->n_clocks), first = 0, running = 0;

        for (size_t i = 0; i < n; i++)
                if (!streq(strempty(p->clocks[i].state), "pending"))
                        running = i;
        if (n > room && running > room / 2)
                first = MIN_OF(running - room / 2, n - room);
        for (size_t i = first; i < n && i < first + room; i++)
                draw_step(p, f, steps, i);
}

static void draw_head(const Progress *p, FILE *f, const Dict *removal)
{
        uint64_t deadline_usec = dict_u64(removal, "deadline"), now = now_realtime_usec();
        char took[32], left[32];

        fprintf(f, "%s: %s, %s", dict_string(removal, "target"), dict_string(removal, "state"),
                format_seconds(took, now_usec() - p->begin_usec));
        if (!removal_is_over(removal) && deadline_usec > now)
                fprintf(f, ", %s left", format_seconds(left, deadline_usec - now));
        fputc('\n', f);
}

static size_t count_lines(const char *text)
{
        size_t n = 0;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

static char *drawing(const Progress *p, const Dict *removal)
{
        _cleanup_(freep) char *waiting = waiting_text(removal, "   in the way: ", true);
        size_t used = 4 + (waiting ? count_lines(waiting) : 0), lines = terminal_lines();
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        draw_head(p, f, removal);
        draw_steps(p, f, removal, lines > used + 1 ? lines - used : 1);
        print_hold(f, removal, "   ");
        if (waiting && !removal_is_over(removal))
                fputs(waiting, f);
        (void)memstream_close(f, &text);
        return text;
}

void progress_erase(Progress *p)
{
        if (p->drawn > 0)
                printf("\r\033[%uA\033[J", p->drawn);
        p->drawn = 0;
        (void)fflush(stdout);
}

/* Automatic wrapping is off while it draws, so that every line is one line of the screen; all in
 * one write, so that no signal leaves the terminal without wrapping. */
static void draw(Progress *p, const Dict *removal)
{
        _cleanup_(freep) char *text = drawing(p, removal), *all = NULL;
        char up[16] = "";
        size_t n;

        if (!text)
                return;
        if (p->drawn > 0)
                (void)snprintf(up, sizeof(up), "\033[%uA", p->drawn);
        all = string_printf("\r%s\033[J\033[?7l%s\033[?7h", up, text);
        if (!all)
                return;
        (void)fflush(stdout);
        n = strlen(all);
        if (write(STDOUT_FILENO, all, n) == (ssize_t)n)
                p->drawn = (unsigned)count_lines(text);
}

void progress_update(Progress *p, const Dict *removal)
{
        if (p->silent)
                return;
        if (!p->live) {
                update_lines(p, removal);
                return;
        }
        update_steps(p, removal);
        draw(p, removal);
}

void progress_say(Progress *p, const char *fmt, ...)
{
        _cleanup_(freep) char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (n < 0) {
                text = NULL; /* is undefined after a failure */
                return;
        }
        progress_erase(p);
        fprintf(stderr, "%s\n", text);
}
