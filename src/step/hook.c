/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker lives in a sandbox in which a hook could do next to nothing (no network, no files of
 * others, no set-user-id), and a hook's children have to end with it even when all of us are dead.
 * So the service manager runs it, as a unit of its own with a time limit of its own; systemd-run
 * waits for it and hands its output and its exit status over.
 *
 * Without a service manager, and on another bus than the machine's, it is run directly. */

#include "step/hook.h"

#include <inttypes.h>
#include <signal.h>

#include "plan.h"
#include "sys/hooks.h"
#include "sys/units.h"
#include "util/text.h"
#include "util/utf8.h"

#define SEARCH_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* From SIGTERM to SIGKILL. */
#define GRACE_USEC (5 * USEC_PER_SEC)
/* The manager's limit is for the case that nobody else is left. */
#define MANAGER_SPARE_USEC (10 * USEC_PER_SEC)
/* The service manager calls the end of a service by SIGHUP, SIGINT, SIGTERM or SIGPIPE a success
 * (systemd.service(5), SuccessExitStatus=), and systemd-run --wait answers 0: a query that somebody
 * stopped would have said yes. So a shell makes a status of it, 255 when it was signalled itself
 * and 128 and the signal's number for the hook; and because it may be signalled before its trap is
 * set, only a status it has also spelled counts. "$0" and "$?" reach it as they are, because the
 * manager expands $NAME only where it is a word of its own, and only ${NAME} inside of one
 * (systemd.service(5), "Command lines"). */
#define SHELL "/bin/sh"
#define SHELL_SAYS "pmemremoved-hook: ended with status "
#define SHELL_SCRIPT                                                                               \
        "trap 'exit 255' HUP INT TERM PIPE; \"$0\" \"$1\"; s=$?; echo; echo \"" SHELL_SAYS         \
        "$s\"; exit $s"
#define SHELL_SIGNALLED 128
#define SHELL_NOT_EXECUTABLE 126
/* One string of argv or of the environment, its end included: 32 pages (execve(2),
 * MAX_ARG_STRLEN). */
#define ARGUMENT_MAX (128 * 1024)
/* What goes into the ledger and the journal; the rest is counted. */
#define OUTPUT_LINES_MAX 200

typedef struct Hook {
        const Step *step;
        Run *run;
        const char *verb;
        char key[HOOK_NAME_MAX + 16];
        char unit[UNIT_NAME_MAX];
        HookAnswer *answer;
        size_t n_lines;
        bool spelled; /* its shell said how it ended */
} Hook;

/* ':' is in no hook's name. */
static const char *note_name(const Step *s, const char *verb, char buf[static HOOK_NAME_MAX + 16])
{
        (void)snprintf(buf, HOOK_NAME_MAX + 16, "%s:%s", step_node(s), verb);
        return buf;
}

static void unit_name(const Step *s, const Run *run, const char *verb, char buf[UNIT_NAME_MAX])
{
        RunFacts facts;

        run_facts(run, &facts);
        (void)snprintf(buf, UNIT_NAME_MAX, "pmemremoved-hook-%" PRIu64 "-%s-%s.service", facts.id,
                verb, step_node(s));
}

static bool has_manager(void)
{
        return access("/run/systemd/system", F_OK) == 0 && !getenv("DBUS_SYSTEM_BUS_ADDRESS");
}

/* That it is not there is the usual answer, and a manager that does not answer ends it by itself
 * after RuntimeMaxSec=. */
static void stop_unit(const char *unit)
{
        int r = unit_stop(unit, GRACE_USEC + MANAGER_SPARE_USEC, -EBADF);

        (void)r;
}

bool hook_began(const Step *s, Run *run, const char *verb)
{
        char key[HOOK_NAME_MAX + 16];

        return run_recall(run, "hook", note_name(s, verb, key));
}

bool hook_stop(const Step *s, Run *run, const char *verb)
{
        char key[HOOK_NAME_MAX + 16], unit[UNIT_NAME_MAX];

        if (!hook_began(s, run, verb) || run_recall(run, "hook-ended", note_name(s, verb, key)))
                return false;
        unit_name(s, run, verb, unit);
        if (has_manager())
                stop_unit(unit);
        (void)run_note(run, "hook-ended", key, "status", "cut short", NULL);
        return true;
}

static void on_line(const char *text, void *userdata)
{
        Hook *h = userdata;

        if (strncmp(text, SHELL_SAYS, strlen(SHELL_SAYS)) == 0) {
                h->spelled = true;
                return;
        }
        (void)snprintf(h->answer->last_line, sizeof(h->answer->last_line), "%s", text);
        if (h->n_lines++ < OUTPUT_LINES_MAX)
                (void)run_note(h->run, "hook-output", step_node(h->step), "verb", h->verb, "text",
                        text, NULL);
}

static void on_end(void *userdata)
{
        const Hook *h = userdata;

        stop_unit(h->unit);
}

/* The parent says other things, too: a "proceed" that comes too late for the announcement. */
static bool on_word(void *userdata)
{
        const Hook *h = userdata;
        Failure ignored = { 0 };

        return run_check_cancel(h->run, &ignored) < 0;
}

/* --- what it gets to know --- */

/* Half a list of mounts would be worse than no answer. --setenv= is part of the string, too. */
static int add_variable(char ***env, const char *name, const char *value, Failure *f)
{
        size_t size = 4 * strlen(strempty(value)) + 1; /* \xHH for each byte */
        _cleanup_(freep) char *text = malloc(size), *assignment = NULL;

        if (!text)
                return -ENOMEM;
        assignment = string_printf(
                "PMEMREMOVED_%s=%s", name, utf8_printable(strempty(value), text, size));
        if (!assignment)
                return -ENOMEM;
        if (strlen("--setenv=") + strlen(assignment) >= ARGUMENT_MAX)
                return failure_set(f, FAILURE_LIMIT_EXCEEDED, -E2BIG, NULL,
                        "PMEMREMOVED_%s would be longer than the kernel lets a hook be told (128 "
                        "KiB); remove fewer devices at once, or do without hooks",
                        name);
        return strv_append(env, assignment);
}

static int make_environment(const Hook *h, char ***env, Failure *f)
{
        RunFacts facts;
        char id[24];
        int r = strv_append(env, SEARCH_PATH);

        run_facts(h->run, &facts);
        (void)snprintf(id, sizeof(id), "%" PRIu64, facts.id);
        if (r == 0)
                r = add_variable(env, "REMOVAL", id, f);
        if (r == 0)
                r = add_variable(env, "TARGET", facts.target, f);
        if (r == 0)
                r = add_variable(env, "ROAD", facts.road, f);
        if (r == 0)
                r = add_variable(env, "DEVICES", step_get(h->step, "devices"), f);
        if (r == 0)
                r = add_variable(env, "MOUNTS", step_get(h->step, "mounts"), f);
        if (r == 0)
                r = add_variable(env, "REASON", facts.reason, f);
        return r < 0 ? r : add_variable(env, "TRANSACTION", facts.transaction, f);
}

static int add_word(char ***argv, char *word)
{
        _cleanup_(freep) char *owned = word;

        return owned ? strv_append(argv, owned) : -ENOMEM;
}

/* DefaultDependencies=no: a hook that undoes has to start and to live while the machine shuts down.
 * A unit ends when its main process does, and everything in its cgroup with it. */
static int add_manager(const Hook *h, char *const *env, char ***argv)
{
        static const char *const options[] = { "systemd-run", "--quiet", "--pipe", "--wait",
                "--collect", "--property=DefaultDependencies=no" };
        static const char *const shell[] = { "--", SHELL, "-c", SHELL_SCRIPT };
        uint64_t limit = usec_add(step_get_u64(h->step, "wait"), MANAGER_SPARE_USEC);
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(options) && r == 0; i++)
                r = strv_append(argv, options[i]);
        if (r == 0)
                r = add_word(argv, string_printf("--unit=%s", h->unit));
        if (r == 0)
                r = add_word(argv, string_printf("--description=Hook %s of pmemremoved: %s",
                                           step_node(h->step), h->verb));
        if (r == 0)
                r = add_word(argv, string_printf("--property=RuntimeMaxSec=%" PRIu64 "us", limit));
        if (r == 0)
                r = add_word(argv, string_printf("--property=TimeoutStopSec=%" PRIu64 "us",
                                           (uint64_t)GRACE_USEC));
        for (; *env && r == 0; env++)
                r = add_word(argv, string_printf("--setenv=%s", *env));
        for (size_t i = 0; i < ELEMENTSOF(shell) && r == 0; i++)
                r = strv_append(argv, shell[i]);
        return r;
}

static int make_argv(const Hook *h, char *const *env, char ***argv)
{
        int r = has_manager() ? add_manager(h, env, argv) : 0;

        if (r == 0)
                r = strv_append(argv, strempty(step_get(h->step, "path")));
        return r < 0 ? r : strv_append(argv, h->verb);
}

/* --- running it --- */

static int execute(Hook *h, char *const *argv, char *const *env, const char *input, int cancel_fd)
{
        bool managed = has_manager();
        Command c = {
                .argv = argv,
                .envp = managed ? environ : env,
                .input = input,
                .timeout_usec = step_get_u64(h->step, "wait"),
                .grace_usec = GRACE_USEC,
                .cancel_fd = cancel_fd,
                .cancelled = on_word,
                .line = on_line,
                .end = managed ? on_end : NULL,
                .userdata = h,
        };
        int r = command_run(&c, &h->answer->signal);

        /* systemd-run may have been ended before it started the unit, or after it. */
        if (r < 0 && managed)
                stop_unit(h->unit);
        return r == HOOK_FINE && managed && !h->spelled ? -ENODATA : r;
}

static void note_end(const Hook *h)
{
        char status[16];

        (void)snprintf(status, sizeof(status), "%d", h->answer->status);
        if (h->n_lines > OUTPUT_LINES_MAX)
                (void)run_note(h->run, "hook-output", step_node(h->step), "verb", h->verb, "text",
                        "... more lines than are kept", NULL);
        (void)run_note(h->run, "hook-ended", h->key, "status", status, NULL);
}

static int distrusted(const Step *s, Failure *f)
{
        const char *path = strempty(step_get(s, "path"));
        char why[512];
        const char *no =
                *path == '/' ? hook_distrusted(path, why, sizeof(why)) : "its path is not absolute";

        return no ? failure_set(f, FAILURE_INVALID_CONFIG, 0, path,
                            "this hook cannot be run any more: %s", no)
                  : 0;
}

int hook_run(const Step *s, Run *run, const char *verb, int cancel_fd, HookAnswer *ret, Failure *f)
{
        _cleanup_(strv_freep) char **argv = NULL, **env = NULL;
        _cleanup_(freep) char *json = NULL;
        Hook h = { .step = s, .run = run, .verb = verb, .answer = ret };
        int r;

        *ret = (HookAnswer){ 0 };
        (void)note_name(s, verb, h.key);
        unit_name(s, run, verb, h.unit);
        r = distrusted(s, f);
        if (r == 0)
                r = make_environment(&h, &env, f);
        if (r == 0)
                r = make_argv(&h, env, &argv);
        if (r == 0)
                r = plan_print_json(run_plan_of(run), &json);
        /* Before it begins: after our death nobody may run it again. */
        if (r == 0)
                r = run_note(run, "hook", h.key, NULL);
        if (r < 0)
                return r;
        ret->status = execute(&h, argv, env, json, cancel_fd);
        note_end(&h);
        return 0;
}

/* systemd-run ends with 255 for a unit that a signal killed, and systemd with 203 when there was
 * nothing to execute (systemd.exec(5)); the shell says 126 and 127 for that. */
static const char *describe_status(const HookAnswer *a, char *buf, size_t size)
{
        if (a->status == -ETIMEDOUT)
                return "it took longer than HookTimeout= and was ended";
        if (a->status == -EOWNERDEAD)
                (void)snprintf(buf, size, "it was killed by signal %d", a->signal);
        else if (a->status == -ENODATA)
                return "it was ended before it could be run to its end";
        else if (a->status < 0)
                (void)snprintf(buf, size, "it was not run to its end (%s)", strerror(-a->status));
        else if (a->status == 203 || a->status == SHELL_NOT_EXECUTABLE ||
                 a->status == COMMAND_NOT_STARTED)
                (void)snprintf(buf, size,
                        "it could not be run (status %d); is its interpreter there?", a->status);
        else if (a->status > SHELL_SIGNALLED && a->status <= SHELL_SIGNALLED + SIGRTMAX)
                (void)snprintf(buf, size, "it was killed by signal %d, or ended with status %d",
                        a->status - SHELL_SIGNALLED, a->status);
        else if (a->status == 255)
                return "it was killed by a signal, or ended with status 255";
        else
                (void)snprintf(buf, size, "it ended with status %d", a->status);
        return buf;
}

const char *hook_problem(const HookAnswer *a, char *buf, size_t size)
{
        char status[128];

        if (a->status == HOOK_FINE || a->status == HOOK_NOT_SUPPORTED)
                return NULL;
        (void)snprintf(buf, size, "%s%s%s", describe_status(a, status, sizeof(status)),
                *a->last_line ? "; it said: " : "", a->last_line);
        return buf;
}

static void warn(const Step *s, Run *run, const char *verb, const char *problem)
{
        char text[1024];

        (void)snprintf(text, sizeof(text), "hook %s (%s): %s", step_node(s), verb, problem);
        (void)run_note(run, "warn", step_node(s), "text", text, NULL);
}

void hook_tell(const Step *s, Run *run, const char *verb, const char *unless)
{
        char text[1024];
        Failure f = { 0 };
        HookAnswer a;
        const char *problem = unless;

        if (hook_stop(s, run, verb))
                warn(s, run, verb, "it was cut short by the death of the worker");
        if (hook_began(s, run, verb))
                return;
        if (!unless && hook_run(s, run, verb, -EBADF, &a, &f) < 0)
                problem = f.kind ? failure_text(&f, text, sizeof(text)) : "it could not be run";
        else if (!unless)
                problem = hook_problem(&a, text, sizeof(text));
        if (problem)
                warn(s, run, verb, problem);
}
