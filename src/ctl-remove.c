/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* remove and wait: ask, request, follow, report. Nothing is requested that was not shown when there
 * was somebody to show it to: the request carries the id of the plan that the person said yes to.
 * Every target gets its turn and its own line; the first failure is the exit status. */

#include <inttypes.h>

#include "bus.h"
#include "ctl.h"
#include "failure.h"
#include "util/shell.h"

/* One target on its way through this file. */
typedef struct Errand {
        Ctl *c;
        const char *target;
        Json *json; /* NULL: for people */
        Dict *plan;
        const char *plan_id;
        bool interrupted;
        bool has_error; /* the removal's own error is in the document */
} Errand;

static const char *bus_error_name(FailureKind kind)
{
        return failure_info(kind)->bus_name;
}

/* A refusal in the plan. "Removed already" is one too, but nothing to complain about. */
static int errand_refused(Errand *e)
{
        const Value *blockers = dict_get(e->plan, "blockers");
        int status = plan_status(e->plan);

        if (status == 0)
                return ctl_refuse(e->c, 0, value_cell(blockers, 0, BLOCKER_ERROR), "%s: %s",
                        e->target, value_cell(blockers, 0, BLOCKER_SENTENCE));
        status = ctl_refuse(e->c, status, value_cell(blockers, 0, BLOCKER_ERROR),
                "%s: refused; nothing was done.", e->target);
        print_blockers(stderr, blockers, "  ", SIZE_MAX);
        return status;
}

static int errand_ask(Errand *e)
{
        size_t n = value_rows(dict_get(e->plan, "kills"));
        _cleanup_(freep) char *question = string_printf("\nRemove %s and stop or kill %s?",
                e->target, n == 1 ? "this process" : "these processes");
        char word[SHELL_WORD_MAX];
        int r = -ENOTTY;

        if (!e->json && isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
                r = plan_print(e->c, e->target, e->plan);
                if (r >= 0)
                        r = question ? terminal_ask(question) : -ENOMEM;
        }
        if (r > 0)
                return 0;
        if (r == 0)
                return ctl_refuse(e->c, failure_info(FAILURE_CANCELLED)->exit_code,
                        bus_error_name(FAILURE_CANCELLED), "%s: nothing was done.", e->target);
        if (r != -ENOTTY)
                return ctl_fail(e->c, e->target, NULL, r);
        return ctl_refuse(e->c, EXIT_USAGE, NULL,
                "%s: %zu process%s would be stopped or killed and there is no terminal to ask on; "
                "nothing was done. See 'pmemremovectl plan %s', then say --yes.",
                e->target, n, n == 1 ? "" : "es", shell_word(e->target, word, sizeof(word)));
}

/* Plans and asks, unless -y says that nobody wants to be asked. ret_go: go on with the request. */
static int errand_prepare(Errand *e, bool *ret_go)
{
        char word[SHELL_WORD_MAX];
        const char *planned;
        int status;

        *ret_go = e->c->yes;
        e->plan_id = e->c->plan_id;
        if (e->c->yes)
                return 0;
        status = plan_load(e->c, e->target, NULL, &e->plan);
        if (status != 0 || !e->plan)
                return status;
        if (!plan_is_ok(e->plan))
                return errand_refused(e);
        planned = dict_string(e->plan, "plan-id");
        if (e->plan_id && !streq(e->plan_id, planned))
                return ctl_refuse(e->c, failure_info(FAILURE_PLAN_CHANGED)->exit_code,
                        bus_error_name(FAILURE_PLAN_CHANGED),
                        "%s: %s Nothing was done; see 'pmemremovectl plan %s'.", e->target,
                        failure_info(FAILURE_PLAN_CHANGED)->sentence,
                        shell_word(e->target, word, sizeof(word)));
        e->plan_id = planned;
        if (value_rows(dict_get(e->plan, "kills")) > 0)
                status = errand_ask(e);
        *ret_go = status == 0;
        return status;
}

static int errand_started(Errand *e, const char *path)
{
        uint64_t id;
        int r;

        r = removal_path_to_id(path, &id);
        if (r < 0)
                return ctl_fail(e->c, path, NULL, r);
        if (e->json) {
                json_u64(e->json, "id", id);
                json_string(e->json, "path", path);
        } else if (e->c->quiet) {
                printf("%" PRIu64 "\n", id);
        } else {
                printf("Removal %" PRIu64 " of %s is on its way (%s); 'pmemremovectl wait %" PRIu64
                       "' follows it.\n",
                        id, e->target, path, id);
        }
        return 0;
}

static bool removal_has_error(const Dict *removal)
{
        return value_cell(dict_get(removal, "error"), 0, ERROR_NAME)[0] != '\0';
}

static int errand_follow(Errand *e, Watch *w)
{
        int status;

        status = watch_follow(w);
        e->has_error = removal_has_error(w->removal);
        if (e->json)
                json_dict(e->json, w->removal);
        if (status != 0 || w->detached)
                return status;
        return removal_report(e->c, w->removal, now_usec() - w->begin_usec);
}

static int errand_run(Errand *e)
{
        Watch w;
        bool go;
        int status;

        status = errand_prepare(e, &go);
        if (!go) {
                if (e->json && e->plan)
                        json_dict(e->json, e->plan);
                return status;
        }
        status = watch_begin(&w, e->c, e->target);
        if (status == 0)
                status = watch_request(&w, e->target, e->plan_id);
        /* Who has pressed Ctrl-C wants to see the end of it. */
        if (status == 0 && w.path && e->c->no_block && w.interrupts == 0)
                status = errand_started(e, w.path);
        else if (status == 0 && w.path)
                status = errand_follow(e, &w);
        e->interrupted = w.interrupts > 0;
        watch_end(&w);
        return status;
}

static int errand_dry_run(Errand *e)
{
        int r, status;

        status = plan_load(e->c, e->target, NULL, &e->plan);
        if (status != 0 || !e->plan)
                return status;
        if (e->json) {
                json_dict(e->json, e->plan);
                return plan_status(e->plan);
        }
        r = plan_print(e->c, e->target, e->plan);
        return r < 0 ? ctl_fail(e->c, e->target, NULL, r) : plan_status(e->plan);
}

static int errand(Ctl *c, const char *target, Json *json, bool *ret_interrupted)
{
        Errand e = { .c = c, .target = target, .json = json };
        int status;

        text_keep(&c->error_name, NULL);
        text_keep(&c->error_sentence, NULL);
        if (json) {
                json_open(json, NULL, '{');
                json_string(json, "requested", target);
        }
        status = c->dry_run ? errand_dry_run(&e) : errand_run(&e);
        if (json) {
                json_u64(json, "exit-status", (uint64_t)status);
                if (!e.has_error)
                        json_failure(json, c);
                json_close(json, '}');
        }
        dict_free(e.plan);
        *ret_interrupted = e.interrupted;
        return status;
}

/* After Ctrl-C the person does not want the next one either. */
static void errand_leave_out(const char *target, Json *json)
{
        fprintf(stderr, "pmemremovectl: %s: not begun.\n", target);
        if (!json)
                return;
        json_open(json, NULL, '{');
        json_string(json, "requested", target);
        json_u64(json, "exit-status", EXIT_DETACHED);
        json_close(json, '}');
}

static int errands(Ctl *c, char **targets, Json *json)
{
        bool interrupted = false;
        int first = 0;

        for (char **t = targets; *t; t++) {
                int status;

                if (interrupted) {
                        errand_leave_out(*t, json);
                        first = first ?: EXIT_DETACHED;
                        continue;
                }
                if (c->dry_run && !json && t != targets)
                        putchar('\n');
                status = errand(c, *t, json, &interrupted);
                first = first ?: status;
        }
        return first;
}

int verb_remove(Ctl *c, int argc, char **argv)
{
        Document d;
        int r, status;

        if (c->bind && c->no_block)
                return ctl_refuse(c, EXIT_USAGE, NULL,
                        "--bind with --no-block would cancel what it has just asked for.");
        if (!c->json)
                return errands(c, argv + 1, NULL);
        r = document_open(&d);
        if (r < 0)
                return ctl_fail(c, argv[1], NULL, r);
        json_open(&d.json, NULL, '{');
        json_open(&d.json, c->dry_run ? "plans" : "removals", '[');
        status = errands(c, argv + 1, &d.json);
        json_close(&d.json, ']');
        json_close(&d.json, '}');
        r = document_close(&d, c);
        return r < 0 ? ctl_fail(c, argv[1], NULL, r) : status;
}

static int wait_answer(Ctl *c, const Watch *w, int status)
{
        Document d;
        int r;

        r = document_open(&d);
        if (r < 0)
                return ctl_fail(c, w->about, NULL, r);
        json_open(&d.json, NULL, '{');
        json_dict(&d.json, w->removal);
        json_u64(&d.json, "exit-status", (uint64_t)status);
        if (!removal_has_error(w->removal))
                json_failure(&d.json, c);
        json_close(&d.json, '}');
        r = document_close(&d, c);
        return r < 0 ? ctl_fail(c, w->about, NULL, r) : status;
}

int verb_wait(Ctl *c, int argc, char **argv)
{
        _cleanup_(freep) char *about = string_printf("removal %s", argv[1]);
        Watch w;
        int r, status;

        if (!about)
                return ctl_fail(c, argv[1], NULL, -ENOMEM);
        status = watch_begin(&w, c, about);
        r = removal_path(c->id, &w.path);
        if (r < 0)
                status = ctl_fail(c, about, NULL, r);
        if (status == 0)
                status = watch_follow(&w);
        if (status == 0)
                status = removal_report(c, w.removal, removal_took_usec(w.removal));
        if (c->json)
                status = wait_answer(c, &w, status);
        watch_end(&w);
        return status;
}
