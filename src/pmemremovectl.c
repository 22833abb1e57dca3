/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pmemremovectl: the person's and the script's way to pmemremoved. Two tables, verbs and options,
 * from which parsing, checking and the usage text derive. Strict on purpose: an option that its
 * verb would ignore is an error, because whoever wrote "cancel --dry-run" meant something else. */

#include <getopt.h>
#include <locale.h>

#include "ctl.h"

/* Which verbs take an option. */
enum {
        FOR_ALL = 0,
        FOR_BUS = 1 << 0,     /* whoever talks to the daemon */
        FOR_REQUEST = 1 << 1, /* what a plan and a request have in common */
        FOR_REMOVE = 1 << 2,
        TAKES_ID = 1 << 3, /* not an option: the argument is the id of a removal */
        FOR_INHIBIT = 1 << 4,
};

typedef struct Verb {
        const char *name;
        int min_args, max_args;
        unsigned options;
        int (*run)(Ctl *c, int argc, char **argv);
        const char *synopsis;
        const char *help;
} Verb;

#define ANY_NUMBER INT32_MAX

/* The first one is the default. */
/* clang-format off */
static const Verb verbs[] = {
        { "list", 0, 0, FOR_BUS, verb_list,
          "list", "Show persistent memory and what stands on it" },
        { "status", 0, 1, FOR_BUS, verb_status,
          "status [DEV]", "Show what can be removed and how" },
        { "plan", 1, 1, FOR_BUS | FOR_REQUEST, verb_plan,
          "plan TARGET", "Show what a removal would do" },
        { "remove", 1, ANY_NUMBER, FOR_BUS | FOR_REQUEST | FOR_REMOVE, verb_remove,
          "remove TARGET...", "Remove and wait for the end" },
        { "cancel", 1, 1, FOR_BUS | TAKES_ID, verb_cancel,
          "cancel ID", "Undo a removal before its commit" },
        { "confirm", 1, 1, FOR_BUS | TAKES_ID, verb_confirm,
          "confirm ID", "Let a held removal go on" },
        { "wait", 1, 1, FOR_BUS | TAKES_ID, verb_wait,
          "wait ID", "Follow a removal to its end" },
        { "inhibit", 1, ANY_NUMBER, FOR_BUS | FOR_INHIBIT, verb_inhibit,
          "inhibit COMMAND...", "Forbid removals while a command runs" },
        { "inhibitors", 0, 0, FOR_BUS, verb_inhibitors,
          "inhibitors", "List who forbids or delays removals" },
        { "removals", 0, 0, FOR_BUS, verb_removals,
          "removals", "List removals" },
        { "monitor", 0, 0, FOR_BUS, verb_monitor,
          "monitor", "Print what happens, line by line" },
        { "check-config", 0, 1, FOR_ALL, verb_check_config,
          "check-config [FILE]", "Check the configuration" },
};
/* clang-format on */

typedef struct Option Option;

struct Option {
        char letter;
        const char *name, *argument;
        unsigned verbs;
        int (*set)(Ctl *c, const Option *o, const char *value); /* 0 or -EINVAL */
        size_t offset;
        const char *help;
};

static int set_flag(Ctl *c, const Option *o, const char *value)
{
        *(bool *)((char *)c + o->offset) = true;
        return 0;
}

static int set_text(Ctl *c, const Option *o, const char *value)
{
        *(const char **)((char *)c + o->offset) = value;
        return 0;
}

static int set_span(Ctl *c, const Option *o, const char *value)
{
        return parse_timespan(value, (uint64_t *)((char *)c + o->offset));
}

static int set_json(Ctl *c, const Option *o, const char *value)
{
        static const char *const modes[_JSON_MODE_MAX] = { "off", "short", "pretty" };

        for (size_t i = 0; i < _JSON_MODE_MAX; i++)
                if (streq(modes[i], value)) {
                        c->json = (JsonMode)i;
                        return 0;
                }
        return -EINVAL;
}

static int set_json_auto(Ctl *c, const Option *o, const char *value)
{
        c->json = isatty(STDOUT_FILENO) ? JSON_PRETTY : JSON_SHORT;
        return 0;
}

static int set_mode(Ctl *c, const Option *o, const char *value)
{
        static const char *const modes[] = { "auto", "graceful", "forced", "block", "delay" };

        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                if (streq(modes[i], value))
                        return set_text(c, o, value);
        return -EINVAL;
}

static int set_override(Ctl *c, const Option *o, const char *value)
{
        _cleanup_(freep) char *copy = strdup(value);
        char *rest = copy, *word;

        while (rest && (word = strsep(&rest, ","))) {
                int r = word[0] ? strv_append(&c->overrides, word) : -EINVAL;

                if (r < 0)
                        return r;
        }
        return copy ? 0 : -ENOMEM;
}

static int set_help(Ctl *c, const Option *o, const char *value);
static int set_version(Ctl *c, const Option *o, const char *value);

#define AT(member) offsetof(Ctl, member)

/* clang-format off */
static const Option options[] = {
        { 'H', "host", "[USER@]HOST", FOR_BUS, set_text, AT(host),
          "Work on a remote machine" },
        { 0, "mode", "MODE", FOR_REQUEST | FOR_INHIBIT, set_mode, AT(mode),
          "auto, graceful or forced; block or delay" },
        { 0, "plan-id", "ID", FOR_REMOVE, set_text, AT(plan_id),
          "Remove only if the plan is still this one" },
        { 0, "dry-run", NULL, FOR_REMOVE, set_flag, AT(dry_run),
          "Show the plan, change nothing" },
        { 'y', "yes", NULL, FOR_REMOVE, set_flag, AT(yes),
          "Do not ask before processes are killed" },
        { 0, "hold", NULL, FOR_REQUEST, set_flag, AT(hold),
          "Wait for 'confirm' before the commit" },
        { 0, "confirm-timeout", "SPAN", FOR_REQUEST, set_span, AT(confirm_timeout_usec),
          "How long to wait for 'confirm'" },
        { 0, "timeout", "SPAN", FOR_REQUEST, set_span, AT(timeout_usec),
          "Stop and undo after this time" },
        { 0, "override", "CHECK,...", FOR_REQUEST, set_override, 0,
          "Overrule these checks" },
        { 0, "ignore-inhibitors", NULL, FOR_REQUEST, set_flag, AT(ignore_inhibitors),
          "Remove although somebody forbids it" },
        { 0, "bind", NULL, FOR_REMOVE, set_flag, AT(bind),
          "Cancel if this program goes away" },
        { 0, "target", "TARGET", FOR_INHIBIT, set_text, AT(target),
          "What must stay; default: everything" },
        { 0, "who", "TEXT", FOR_INHIBIT, set_text, AT(who),
          "Whose lock it is; default: the command's" },
        { 0, "why", "TEXT", FOR_INHIBIT, set_text, AT(why),
          "Why it must stay" },
        { 0, "reason", "TEXT", FOR_REQUEST, set_text, AT(reason),
          "Text for the log" },
        { 0, "transaction-id", "ID", FOR_REQUEST, set_text, AT(transaction_id),
          "The caller's own id for the log" },
        { 0, "no-block", NULL, FOR_REMOVE, set_flag, AT(no_block),
          "Do not wait for the end" },
        { 0, "no-ask-password", NULL, FOR_ALL, set_flag, AT(no_ask_password),
          "Do not ask for authorisation" },
        { 0, "json", "MODE", FOR_ALL, set_json, 0,
          "Print JSON: short, pretty or off" },
        { 'j', NULL, NULL, FOR_ALL, set_json_auto, 0,
          "Print JSON, pretty on a terminal" },
        { 0, "no-legend", NULL, FOR_ALL, set_flag, AT(no_legend),
          "No headings, no word about empty lists" },
        { 0, "no-pager", NULL, FOR_ALL, set_flag, AT(no_pager),
          "Do not start a pager" },
        { 'q', "quiet", NULL, FOR_ALL, set_flag, AT(quiet),
          "Print only what goes wrong" },
        { 'h', "help", NULL, FOR_ALL, set_help, 0,
          "Show this text" },
        { 0, "version", NULL, FOR_ALL, set_version, 0,
          "Show the version" },
};
/* clang-format on */

static int set_help(Ctl *c, const Option *o, const char *value)
{
        printf("pmemremovectl [OPTION...] [VERB]\n\nTake persistent memory out of the running "
               "machine.\n\nVerbs:\n");
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                printf("  %-21s %s\n", verbs[i].synopsis, verbs[i].help);
        printf("\nOptions:\n");
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                const Option *p = &options[i];
                char text[64];

                (void)snprintf(text, sizeof(text), "%c%c%s %s%s%s%s", p->letter ? '-' : ' ',
                        p->letter ?: ' ',
                        !p->name    ? ""
                        : p->letter ? ","
                                    : " ",
                        p->name ? "--" : "", strempty(p->name), p->argument ? "=" : "",
                        strempty(p->argument));
                printf("  %-28s %s\n", text, p->help);
        }
        printf("\nSee pmemremovectl(1).\n");
        exit(EXIT_SUCCESS);
}

static int set_version(Ctl *c, const Option *o, const char *value)
{
        puts("pmemremovectl " PACKAGE_VERSION);
        exit(EXIT_SUCCESS);
}

/* Long options are numbered from here, above every letter. */
#define LONG_BASE 0x100

static int usage_error(const char *what, const char *word)
{
        fprintf(stderr, "pmemremovectl: %s '%s'. See 'pmemremovectl --help'.\n", what, word);
        return EXIT_USAGE;
}

/* getopt takes any unambiguous beginning of a name; a script written that way would break with
 * the next option, so the word has to hold all of it. */
static bool is_abbreviated(const char *name, char **argv)
{
        for (int i = optind - 1; i > 0 && i >= optind - 2; i--)
                if (strncmp(argv[i], "--", 2) == 0 && strncmp(argv[i] + 2, name, strlen(name)) == 0)
                        return false;
        return true;
}

/* The table in getopt's words. */
static void options_for_getopt(struct option *longs, char *shorts, bool stop)
{
        if (stop)
                *shorts++ = '+';
        *shorts++ = ':';
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                const Option *o = &options[i];

                if (o->name)
                        *longs++ = (struct option){ o->name,
                                o->argument ? required_argument : no_argument, NULL,
                                LONG_BASE + (int)i };
                if (!o->letter)
                        continue;
                *shorts++ = o->letter;
                if (o->argument)
                        *shorts++ = ':';
        }
        *longs = (struct option){};
        *shorts = '\0';
}

static const Option *option_find(int letter, char **argv)
{
        if (letter >= LONG_BASE) {
                const Option *o = &options[letter - LONG_BASE];

                return is_abbreviated(o->name, argv) ? NULL : o;
        }
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (options[i].letter && options[i].letter == letter)
                        return &options[i];
        return NULL;
}

/* Of argv[1] and on; stop: at the first word that is none, else words and options may be mixed.
 * optind is then the first word. Bit i of ret_seen: options[i] was given. */
static int parse_options(Ctl *c, int argc, char **argv, bool stop, uint64_t *ret_seen)
{
        struct option longs[ELEMENTSOF(options) + 1];
        char shorts[2 * ELEMENTSOF(options) + 3];
        int letter;

        options_for_getopt(longs, shorts, stop);
        optind = 0; /* glibc: from the start, with this table */
        while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) >= 0) {
                const Option *o = option_find(letter, argv);

                if (letter == ':')
                        return usage_error("A value is missing after", argv[optind - 1]);
                if (!o)
                        return usage_error("Unknown or malformed option", argv[optind - 1]);
                if (o->set(c, o, optarg) < 0) {
                        fprintf(stderr, "pmemremovectl: --%s cannot be '%s'.\n", o->name, optarg);
                        return EXIT_USAGE;
                }
                *ret_seen |= UINT64_C(1) << (o - options);
        }
        return 0;
}

/* The words of the command line into *argc and *argv, the verb first. What follows the command of
 * "inhibit" is the command's own. */
static int parse_command_line(Ctl *c, int *argc, char ***argv, uint64_t *ret_seen)
{
        char *verb;
        int status;

        status = parse_options(c, *argc, *argv, true, ret_seen);
        *argc -= optind;
        *argv += optind;
        if (status != 0 || *argc == 0)
                return status;
        verb = (*argv)[0];
        status = parse_options(c, *argc, *argv, streq(verb, "inhibit"), ret_seen);
        *argc -= optind - 1;
        *argv += optind - 1;
        (*argv)[0] = verb;
        return status;
}

/* A word of both kinds of mode is known before it is known which verb it is for. */
static int check_mode(const Ctl *c, const Verb *verb)
{
        bool lock = c->mode && (streq(c->mode, "block") || streq(c->mode, "delay"));

        if (!c->mode || lock == ((verb->options & FOR_INHIBIT) != 0))
                return 0;
        fprintf(stderr, "pmemremovectl: '%s' takes --mode=%s, not '%s'.\n", verb->name,
                lock ? "auto, graceful or forced" : "block or delay", c->mode);
        return EXIT_USAGE;
}

/* Options come before it is known which verb it is, so they are checked afterwards. */
static int check_options(const Verb *verb, uint64_t seen)
{
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                const Option *o = &options[i];

                if (!(seen & (UINT64_C(1) << i)) || o->verbs == FOR_ALL ||
                        (o->verbs & verb->options))
                        continue;
                fprintf(stderr, "pmemremovectl: '%s' does not take the option --%s.\n", verb->name,
                        o->name);
                return EXIT_USAGE;
        }
        return 0;
}

static const Verb *verb_find(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(verbs[i].name, name))
                        return &verbs[i];
        return NULL;
}

/* A check reads the files of this machine, so the daemon's binary does it and needs no daemon. */
int verb_check_config(Ctl *c, int argc, char **argv)
{
        const char *path = secure_getenv("PMEMREMOVED_DAEMON") ?: DAEMON_PATH;

        (void)execl(path, path, "--check-config", argv[1], NULL);
        return ctl_refuse(c, EXIT_NO_DAEMON, NULL, "%s: %s. Is pmemremoved installed?", path,
                strerror(errno));
}

static int dispatch(Ctl *c, int argc, char **argv, uint64_t seen)
{
        static char *nothing[] = { (char *)"list", NULL };
        const Verb *verb = verb_find(argc > 0 ? argv[0] : verbs[0].name);
        int status;

        if (!verb)
                return usage_error("Unknown verb", argv[0]);
        if (argc > 0 && (argc - 1 < verb->min_args || argc - 1 > verb->max_args)) {
                fprintf(stderr, "pmemremovectl: Usage: pmemremovectl %s\n", verb->synopsis);
                return EXIT_USAGE;
        }
        status = check_options(verb, seen);
        if (status == 0)
                status = check_mode(c, verb);
        /* Strictly: half a number must not become the id of somebody else's removal. */
        if (status == 0 && (verb->options & TAKES_ID) && parse_u64(argv[1], &c->id) < 0)
                status = usage_error("Not the id of a removal:", argv[1]);
        if (status == 0 && (verb->options & FOR_BUS))
                status = ctl_connect(c);
        return status != 0 ? status : verb->run(c, MAX_OF(argc, 1), argc > 0 ? argv : nothing);
}

/* With --json there is one document in every case. */
static void answer_failure(Ctl *c)
{
        Document d;

        if (!c->json || c->json_done || !c->error_sentence || document_open(&d) < 0)
                return;
        json_open(&d.json, NULL, '{');
        json_failure(&d.json, c);
        json_close(&d.json, '}');
        (void)document_close(&d, c);
}

/* A full disk or a closed pipe must not look like an answer. */
static int finish_output(int status)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return status;
        fprintf(stderr, "pmemremovectl: Cannot write the output: %s\n", strerror(errno));
        return status ?: EXIT_FAILURE;
}

int main(int argc, char **argv)
{
        uint64_t seen = 0;
        Ctl c = {};
        int status;

        (void)setlocale(LC_ALL, "");
        status = parse_command_line(&c, &argc, &argv, &seen);
        if (status == 0)
                status = dispatch(&c, argc, argv, seen);
        answer_failure(&c);
        status = finish_output(status);
        pager_close(&c);
        ctl_disconnect(&c);
        strv_free(c.overrides);
        free(c.error_name);
        free(c.error_sentence);
        return status;
}
