/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon's main program, and the other things its binary can be: the worker (--run), recovery
 * without a bus (--recover), a printer of its own interfaces (--introspect). */

#include <getopt.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include "bus-objects.h"
#include "manager.h"
#include "messages.h"
#include "recover.h"
#include "sys/privileges.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/text.h"
#include "worker.h"

/* How long --recover waits for a ledger that somebody works on. No longer, because the restarted
 * daemon waits for ExecStopPost= and nobody answers on the bus until then; and no harm, because a
 * worker that lives goes on by itself, a guardian thaws, and the daemon recovers the rest. */
#define RECOVER_USEC (5 * USEC_PER_SEC)

static bool arg_run;
static bool arg_recover;
static bool arg_check_config;
static bool arg_introspect;

static int help(void)
{
        printf("pmemremoved [OPTION...]\n\n"
               "Takes persistent memory out of a running machine, on request over D-Bus.\n\n"
               "  -h --help                   Show this help\n"
               "     --version                Show the version\n"
               "     --check-config [FILE]    Read the configuration, or FILE only, and leave\n"
               "     --introspect             Print the D-Bus interfaces as XML\n"
               "     --recover                Finish what unfinished ledgers say, without a bus\n"
               "     --run                    Execute the ledger on descriptor 3 (the worker)\n"
               "     --log-level=LEVEL        debug, info, notice, warning, err, crit, ...\n"
               "     --log-target=TARGET      auto, journal, console, null\n\n"
               "See pmemremoved(8).\n");
        return 0;
}

static int set_level(const char *word)
{
        int level = log_level_from_string(word);

        if (level < 0)
                return level;
        log_set_max_level(level);
        return 0;
}

enum {
        OPTION_VERSION = 0x100,
        OPTION_CHECK,
        OPTION_INTROSPECT,
        OPTION_RECOVER,
        OPTION_RUN,
        OPTION_LEVEL,
        OPTION_TARGET
};

static const struct option long_options[] = {
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, OPTION_VERSION },
        { "check-config", no_argument, NULL, OPTION_CHECK },
        { "introspect", no_argument, NULL, OPTION_INTROSPECT },
        { "recover", no_argument, NULL, OPTION_RECOVER },
        { "run", no_argument, NULL, OPTION_RUN },
        { "log-level", required_argument, NULL, OPTION_LEVEL },
        { "log-target", required_argument, NULL, OPTION_TARGET },
        { 0 },
};

/* 1: go on, 0: done, negative: the caller made a mistake and was told. */
static int parse_option(int c)
{
        switch (c) {
        case 'h':
                return help();
        case OPTION_VERSION:
                printf("pmemremoved %s%s\n", PACKAGE_VERSION,
                        FAULT_INJECTION ? " (with fault injection, for tests only)" : "");
                return 0;
        case OPTION_CHECK:
                arg_check_config = true;
                return 1;
        case OPTION_INTROSPECT:
                arg_introspect = true;
                return 1;
        case OPTION_RECOVER:
                arg_recover = true;
                return 1;
        case OPTION_RUN:
                arg_run = true;
                return 1;
        case OPTION_LEVEL:
                if (set_level(optarg) == 0)
                        return 1;
                break;
        case OPTION_TARGET:
                if (log_set_target(optarg) == 0)
                        return 1;
                break;
        default:
                return -EINVAL;
        }
        fprintf(stderr, "pmemremoved: %s is not known for this option.\n", optarg);
        return -EINVAL;
}

static int parse_arguments(int argc, char **argv)
{
        int c, r;

        while ((c = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
                r = parse_option(c);
                if (r <= 0)
                        return r;
        }
        if (argc - optind > (arg_check_config ? 1 : 0)) {
                fprintf(stderr, "pmemremoved: the argument %s means nothing here.\n",
                        argv[arg_check_config ? optind + 1 : optind]);
                return -EINVAL;
        }
        return 1;
}

static int load_config(const char *file, Config **ret)
{
        Failure f = { 0 };
        char text[1400];
        int r;

        r = file ? config_load_file(file, ret, &f) : config_load("", ret, &f);
        if (r < 0) {
                (void)failure_set(&f, FAILURE_INVALID_CONFIG, r, file, "%s", strerror(-r));
                log_event(LOG_ERR, MESSAGE_CONFIG_ERROR, NULL, "%s",
                        failure_text(&f, text, sizeof(text)));
        }
        return r;
}

/* What systemd.exec(5) calls CONFIG. The unit names it: starting again does not mend a file, and
 * a call over D-Bus in the middle of such a loop waits in vain. */
#define EXIT_CONFIG 78

static int check_config(const char *file)
{
        _cleanup_(config_freep) Config *c = NULL;

        return load_config(file, &c) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int recover(void)
{
        const char *dir = getenv("RUNTIME_DIRECTORY");

        fault_role("recovery");
        return recover_all(dir && *dir == '/' ? dir : LEDGER_DIR, RECOVER_USEC) < 0 ? EXIT_FAILURE
                                                                                    : EXIT_SUCCESS;
}

/* sd-event takes them from the mask; SIGCHLD too, although the ends of children come by pidfd. */
static int block_signals(void)
{
        static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
        sigset_t set;

        (void)sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void)sigaddset(&set, signals[i]);
        (void)signal(SIGPIPE, SIG_IGN);
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

static int run_daemon(void)
{
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        fault_role("daemon");
        if (FAULT_INJECTION)
                log_warning("This is a build with fault injection, for tests only: who can write "
                            "to the runtime directory makes it fail. Install another one.");
        if (load_config(NULL, &config) < 0)
                return EXIT_CONFIG;
        (void)privileges_lower(PRIVILEGES_DAEMON, 0);
        r = block_signals();
        if (r == 0)
                r = manager_new(&config, &m);
        if (r == 0)
                r = manager_startup(m);
        if (r == 0)
                r = sd_event_loop(m->event);
        if (r < 0)
                log_error("The daemon ends: %s", strerror(-r));
        (void)sd_notify(false, "STOPPING=1");
        return r < 0 ? EXIT_FAILURE : r;
}

int main(int argc, char **argv)
{
        int r;

        r = parse_arguments(argc, argv);
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        if (arg_run)
                return worker_main(arg_recover);
        if (arg_recover)
                return recover();
        if (arg_introspect)
                return bus_introspect(stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (arg_check_config)
                return check_config(optind < argc ? argv[optind] : NULL);
        return run_daemon();
}
