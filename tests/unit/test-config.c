/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The policy file: its values, who overrides whom, and that every error names file, line and key.
 * Each test has a temporary root of its own. */

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "config.h"
#include "util/text.h"

#define MAIN_FILE CONFDIR "/pmemremoved.conf"
#define VENDOR_DIR "/usr/lib/pmemremoved.conf.d"
#define RUN_DIR "/run/pmemremoved.conf.d"
#define ADMIN_DIR CONFDIR "/pmemremoved.conf.d"

typedef struct World {
        char root[64];
        Config *config;
        Failure failure;
} World;

static int setup(void **state)
{
        World *w = calloc(1, sizeof(World));

        assert_non_null(w);
        (void)snprintf(w->root, sizeof(w->root), "/tmp/test-config.XXXXXX");
        assert_non_null(mkdtemp(w->root));
        *state = w;
        return 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
        return remove(path);
}

static int teardown(void **state)
{
        World *w = *state;

        config_free(w->config);
        assert_int_equal(nftw(w->root, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
        free(w);
        return 0;
}

static char *in_root(const World *w, const char *path)
{
        char *full = string_printf("%s%s", w->root, path);

        assert_non_null(full);
        return full;
}

static void make_parents(const World *w, char *full)
{
        for (char *slash = strchr(full + strlen(w->root) + 1, '/'); slash;
                slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
                *slash = '/';
        }
}

static void write_bytes(World *w, const char *path, const char *text, size_t size)
{
        _cleanup_(freep) char *full = in_root(w, path);
        _cleanup_(fclosep) FILE *file = NULL;

        make_parents(w, full);
        file = fopen(full, "we");
        assert_non_null(file);
        assert_int_equal(fwrite(text, 1, size, file), size);
}

static void write_text(World *w, const char *path, const char *text)
{
        write_bytes(w, path, text, strlen(text));
}

static int load(World *w)
{
        w->config = config_free(w->config);
        w->failure = (Failure){ 0 };
        return config_load(w->root, &w->config, &w->failure);
}

static void assert_loads(World *w)
{
        int r = load(w);

        if (r < 0)
                print_error("%s\n", w->failure.sentence);
        assert_int_equal(r, 0);
        assert_int_equal(w->failure.kind, FAILURE_NONE);
}

/* The sentence must start with the place and contain the rest. */
static void assert_fails_in(World *w, const char *path, unsigned line, const char *part)
{
        _cleanup_(freep) char *full = in_root(w, path), *place = NULL;
        int r = load(w);

        assert_true(r < 0);
        assert_null(w->config);
        assert_int_equal(w->failure.kind, FAILURE_INVALID_CONFIG);
        place = line > 0 ? string_printf("%s:%u: ", full, line) : string_printf("%s: ", full);
        assert_non_null(place);
        if (strncmp(w->failure.sentence, place, strlen(place)) != 0 ||
                !strstr(w->failure.sentence, part))
                fail_msg("expected \"%s...%s\", got \"%s\"", place, part, w->failure.sentence);
}

static void assert_list(char *const *list, const char *expected)
{
        _cleanup_(strv_freep) char **words = NULL;

        assert_int_equal(strv_split(expected, &words), 0);
        assert_int_equal(strv_length(list), strv_length(words));
        for (size_t i = 0; i < strv_length(words); i++)
                assert_string_equal(list[i], words[i]);
}

static void assert_defaults(const Policy *p)
{
        assert_int_equal(p->mode, MODE_AUTO);
        assert_int_equal(p->drain.n, 1);
        assert_int_equal(p->drain.rungs[0].signal, SIGTERM);
        assert_int_equal(p->drain.rungs[0].wait_usec, 10 * USEC_PER_SEC);
        assert_int_equal(p->last_signal, SIGKILL);
        assert_int_equal(p->freeze_timeout_usec, 30 * USEC_PER_SEC);
        assert_int_equal(p->freeze_budget_usec, 2 * USEC_PER_SEC);
        assert_int_equal(p->kill_timeout_usec, 10 * USEC_PER_SEC);
        assert_int_equal(p->unbind_timeout_usec, 120 * USEC_PER_SEC);
        assert_false(p->disable_region);
        assert_null(p->protect_unit);
        assert_null(p->protect_process);
        assert_int_equal(p->max_parallel, 4);
        assert_int_equal(p->max_removed, 0);
        assert_true(p->while_degraded);
        assert_null(p->match_namespace);
}

static void test_built_in_values(void **state)
{
        _cleanup_(config_freep) Config *c = NULL;

        assert_int_equal(config_new_defaults(&c), 0);
        assert_int_equal(c->n_policies, 1);
        assert_null(c->policies[0]->name);
        assert_defaults(c->policies[0]);
}

static void test_modes(void **state)
{
        for (Mode m = 0; m < _MODE_MAX; m++)
                assert_int_equal(mode_from_string(mode_to_string(m)), m);
        assert_int_equal(mode_from_string("Auto"), _MODE_INVALID);
        assert_int_equal(mode_from_string(NULL), _MODE_INVALID);
        assert_null(mode_to_string(_MODE_INVALID));
        assert_null(mode_to_string(_MODE_MAX));
}

static void test_no_file(void **state)
{
        World *w = *state;

        assert_loads(w);
        assert_int_equal(w->config->n_policies, 1);
        assert_defaults(w->config->policies[0]);
}

static void test_empty_file(void **state)
{
        World *w = *state;

        write_text(w, MAIN_FILE, "");
        assert_loads(w);
        assert_defaults(w->config->policies[0]);
}

static void test_every_key(void **state)
{
        World *w = *state;
        const Policy *p;

        write_text(w, MAIN_FILE,
                "# comment\n"
                "[Policy]\n"
                "MaxParallel=64\n"
                "CleanDeadMounts=yes\n"
                "[Policy \"all keys\"]\n"
                "MatchNamespace=namespace0.* namespace1.0\n"
                "MatchRegion=region[0-3]\n"
                "MatchBus=ACPI.NFIT\n"
                "MatchMountPoint=/srv/*\n"
                "MatchUUID=1234-*\n"
                "MatchLabel=db?data\n"
                "  Mode = graceful ; for a while\n"
                "DrainSignals=HUP:1min30s  15:0 SIGKILL:250ms\n"
                "LastSignal=none\n"
                "FreezeTimeout=5\n"
                "FreezeBudget=0\n"
                "KillTimeout=250ms\n"
                "UnbindTimeout=1h\n"
                "DisableRegion=yes\n"
                "UnexportNFS=yes\n"
                "ProtectUnit=postgresql*.service ssh.service\n"
                "ProtectProcess=exactly15bytes_ very-long-name*\n");
        assert_loads(w);
        assert_int_equal(w->config->n_policies, 2);
        assert_int_equal(w->config->policies[0]->max_parallel, 64);
        assert_true(w->config->policies[0]->clean_dead_mounts);
        p = w->config->policies[1];
        assert_string_equal(p->name, "all keys");
        assert_list(p->match_namespace, "namespace0.* namespace1.0");
        assert_list(p->match_region, "region[0-3]");
        assert_list(p->match_bus, "ACPI.NFIT");
        assert_list(p->match_mount, "/srv/*");
        assert_list(p->match_uuid, "1234-*");
        assert_list(p->match_label, "db?data");
        assert_int_equal(p->mode, MODE_GRACEFUL);
        assert_int_equal(p->drain.n, 3);
        assert_int_equal(p->drain.rungs[0].signal, SIGHUP);
        assert_int_equal(p->drain.rungs[0].wait_usec, 90 * USEC_PER_SEC);
        assert_int_equal(p->drain.rungs[1].signal, SIGTERM);
        assert_int_equal(p->drain.rungs[1].wait_usec, 0);
        assert_int_equal(p->drain.rungs[2].signal, SIGKILL);
        assert_int_equal(p->drain.rungs[2].wait_usec, 250 * USEC_PER_MSEC);
        assert_int_equal(p->last_signal, 0);
        assert_int_equal(p->freeze_timeout_usec, 5 * USEC_PER_SEC);
        assert_int_equal(p->freeze_budget_usec, 0);
        assert_int_equal(p->kill_timeout_usec, 250 * USEC_PER_MSEC);
        assert_int_equal(p->unbind_timeout_usec, 3600 * USEC_PER_SEC);
        assert_true(p->disable_region);
        assert_list(p->protect_unit, "postgresql*.service ssh.service");
        assert_list(p->protect_process, "exactly15bytes_ very-long-name*");
}

/* The defaults of a named section are those at the end of all files, wherever they stand. */
static void test_inheritance(void **state)
{
        World *w = *state;
        const Policy *p;

        write_text(w, MAIN_FILE,
                "[Policy \"first\"]\nMatchRegion=*\nProtectUnit=c.service\n"
                "[Policy]\nMode=forced\nDrainSignals=INT:1s HUP:1s\nProtectUnit=a.service\n"
                "[Policy \"second\"]\nMatchRegion=*\nProtectUnit=\nMode=auto\n");
        write_text(w, ADMIN_DIR "/late.conf",
                "[Policy]\nDrainSignals=TERM:2s\nProtectUnit=b.service\n");
        assert_loads(w);
        assert_int_equal(w->config->n_policies, 3);
        p = w->config->policies[1];
        assert_string_equal(p->name, "first");
        assert_int_equal(p->mode, MODE_FORCED);
        assert_int_equal(p->drain.n, 1);
        assert_int_equal(p->drain.rungs[0].signal, SIGTERM);
        assert_int_equal(p->drain.rungs[0].wait_usec, 2 * USEC_PER_SEC);
        assert_list(p->protect_unit, "a.service b.service c.service");
        p = w->config->policies[2];
        assert_string_equal(p->name, "second");
        assert_int_equal(p->mode, MODE_AUTO);
        assert_null(p->protect_unit);
}

static void test_later_assignment_wins(void **state)
{
        World *w = *state;

        write_text(w, MAIN_FILE,
                "[Policy]\nMode=forced\nMode=graceful\n"
                "ProtectProcess=a b\nProtectProcess=c\n"
                "ProtectUnit=a.service\nProtectUnit=\nProtectUnit=b.service\n");
        assert_loads(w);
        assert_int_equal(w->config->policies[0]->mode, MODE_GRACEFUL);
        assert_list(w->config->policies[0]->protect_process, "a b c");
        assert_list(w->config->policies[0]->protect_unit, "b.service");
}

/* Sorted by name over all directories, after the main file. */
static void test_dropins_in_order(void **state)
{
        World *w = *state;

        write_text(w, MAIN_FILE, "[Policy]\nProtectProcess=main\n");
        write_text(w, VENDOR_DIR "/30-c.conf", "[Policy]\nProtectProcess=vendor\n");
        write_text(w, RUN_DIR "/20-b.conf", "[Policy]\nProtectProcess=run\n");
        write_text(w, ADMIN_DIR "/10-a.conf", "[Policy]\nProtectProcess=admin\n");
        write_text(w, ADMIN_DIR "/40-d.conf~", "broken");
        write_text(w, ADMIN_DIR "/.hidden.conf", "broken");
        assert_loads(w);
        assert_list(w->config->policies[0]->protect_process, "main admin run vendor");
}

static void test_dropin_replaces_its_name(void **state)
{
        World *w = *state;

        write_text(w, VENDOR_DIR "/a.conf", "[Policy]\nProtectProcess=vendor-a\n");
        write_text(w, RUN_DIR "/a.conf", "[Policy]\nProtectProcess=run-a\n");
        write_text(w, VENDOR_DIR "/b.conf", "[Policy]\nProtectProcess=vendor-b\n");
        write_text(w, RUN_DIR "/b.conf", "[Policy]\nProtectProcess=run-b\n");
        write_text(w, ADMIN_DIR "/b.conf", "[Policy]\nProtectProcess=admin-b\n");
        assert_loads(w);
        assert_list(w->config->policies[0]->protect_process, "run-a admin-b");
}

static void test_dropin_masked(void **state)
{
        World *w = *state;
        _cleanup_(freep) char *link = in_root(w, ADMIN_DIR "/a.conf");

        write_text(w, VENDOR_DIR "/a.conf", "[Policy]\nMode=forced\n");
        write_text(w, ADMIN_DIR "/b.conf", "[Policy]\nDrainSignals=\n");
        assert_int_equal(symlink("/dev/null", link), 0);
        assert_loads(w);
        assert_int_equal(w->config->policies[0]->mode, MODE_AUTO);
        assert_int_equal(w->config->policies[0]->drain.n, 0);
}

/* A drop-in amends a named section, which keeps its place in the order. */
static void test_dropin_amends_section(void **state)
{
        World *w = *state;

        write_text(w, MAIN_FILE,
                "[Policy \"db\"]\nMatchLabel=db\nMode=forced\n[Policy \"log\"]\nMatchLabel=log\n");
        write_text(w, ADMIN_DIR "/a.conf", "[Policy \"db\"]\nMode=graceful\nMatchLabel=db2\n");
        assert_loads(w);
        assert_int_equal(w->config->n_policies, 3);
        assert_string_equal(w->config->policies[1]->name, "db");
        assert_int_equal(w->config->policies[1]->mode, MODE_GRACEFUL);
        assert_list(w->config->policies[1]->match_label, "db db2");
}

static void test_one_file(void **state)
{
        World *w = *state;
        _cleanup_(freep) char *path = in_root(w, "/some.conf");

        write_text(w, MAIN_FILE, "broken");
        write_text(w, "/some.conf", "[Policy]\nMode=forced");
        assert_int_equal(config_load_file(path, &w->config, &w->failure), 0);
        assert_int_equal(w->config->policies[0]->mode, MODE_FORCED);
}

static void test_one_file_must_exist(void **state)
{
        World *w = *state;
        _cleanup_(freep) char *path = in_root(w, "/none.conf");

        assert_int_equal(config_load_file(path, &w->config, &w->failure), -ENOENT);
        assert_int_equal(w->failure.kind, FAILURE_INVALID_CONFIG);
        assert_non_null(strstr(w->failure.sentence, path));
}

static void test_failure_may_be_null(void **state)
{
        World *w = *state;

        write_text(w, MAIN_FILE, "broken");
        assert_true(config_load(w->root, &w->config, NULL) < 0);
}

static void test_values_refused(void **state)
{
        static const char *const cases[][2] = {
                { "Mode=automatic", "no such mode; allowed are auto" },
                { "Mode=", "no such mode" },
                { "Mode=auto # why", "no such mode" },
                { "DrainSignals=SIGTERM", "a signal, a colon and a time span" },
                { "DrainSignals=SIGTERM:1min 30s", "a signal, a colon and a time span" },
                { "DrainSignals=SIGTERM:soon", "no time span behind the colon; allowed are up to" },
                { "DrainSignals=SIGTERM:", "no time span behind" },
                { "DrainSignals=SIGTERM:-1s", "no time span behind" },
                { "DrainSignals=SIGTERM:25h", "more than a day" },
                { "DrainSignals=SIGTERM:infinity", "more than a day" },
                { "DrainSignals=SIGNONE:1s", "no such signal" },
                { "DrainSignals=none", "a signal, a colon and a time span" },
                { "DrainSignals=0:1s", "no such signal" },
                { "DrainSignals=SIGTERM:1s SIGSTOP:1s", "lets go of nothing" },
                { "DrainSignals=1:0 1:0 1:0 1:0 1:0 1:0 1:0 1:0 1:0", "too many rungs" },
                { "LastSignal=99", "or none" },
                { "FreezeTimeout=0", "out of range; allowed are 1s to 10min" },
                { "FreezeTimeout=infinity", "out of range" },
                { "FreezeBudget=11min", "out of range; allowed are 0 to 10min" },
                { "KillTimeout=1ms", "out of range; allowed are 100ms to 1h" },
                { "UnbindTimeout=0", "out of range; allowed are 1s to 1d" },
                { "DisableRegion=perhaps", "no boolean; allowed are yes and no" },
                { "UnexportNFS=maybe", "no boolean; allowed are yes and no" },
                { "ProtectUnit=a.service b", "a unit without its suffix" },
                { "ProtectUnit=[ab.service", "unbalanced [" },
                { "ProtectProcess=a\\", "lone \\" },
                { "ProtectProcess=sixteen-letters-", "cuts command names after 15" },
                { "MaxParallel=0", "out of range; allowed are 1 to 64" },
                { "MaxParallel=65", "out of range" },
                { "MaxParallel=4x", "no number" },
                { "MaxParallel=99999999999999999999999", "allowed are 1 to 64" },
        };
        World *w = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = string_printf("[Policy]\n\n%s\n", cases[i][0]);
                _cleanup_(freep) char *key = NULL;

                assert_non_null(text);
                write_text(w, MAIN_FILE, text);
                assert_fails_in(w, MAIN_FILE, 3, cases[i][1]);
                key = strndup(cases[i][0], strcspn(cases[i][0], "=") + 1);
                assert_non_null(key);
                assert_non_null(strstr(w->failure.sentence, key));
        }
}

static void test_globs_accepted(void **state)
{
        World *w = *state;

        write_text(w, MAIN_FILE,
                "[Policy]\nProtectProcess=[]x] [!]x] [^a-z]* a\\[b \\\\ ] sixteen-letter?*\n");
        assert_loads(w);
        assert_int_equal(strv_length(w->config->policies[0]->protect_process), 7);
}

static void test_lines_refused(void **state)
{
        static const struct {
                const char *text;
                unsigned line;
                const char *part;
        } cases[] = {
                { "Mode=auto\n", 1, "Mode= stands before the first section" },
                { "\n[Polcy]\n", 2, "unknown section [Polcy]" },
                { "[policy]\n", 1, "unknown section [policy]" },
                { "[]\n", 1, "unknown section []" },
                { "[Policy \"\"]\n", 1, "unknown section" },
                { "[Policy \"a]\n", 1, "unknown section" },
                { "[Policy \"a\" b]\n", 1, "unknown section" },
                { "[Policy a]\n", 1, "unknown section" },
                { "[Policy\n", 1, "without its ]" },
                { "[Policy] Mode=auto\n", 1, "text behind the section header" },
                { "[Policy]\nmode=auto\n", 2, "mode=: unknown key" },
                { "[Policy]\nFoo=1\n", 2, "Foo=: unknown key" },
                { "[Policy]\nMatchLabel=a\n", 2, "MatchLabel= says where" },
                { "[Policy \"a\"]\nMatchLabel=a\nMaxParallel=1\n", 3,
                        "MaxParallel= is one for the whole daemon" },
                { "[Policy]\nMaxRemoved=1\n", 2, "MaxRemoved= is a limit of the whole machine" },
                { "[Policy \"a\"]\nMatchLabel=a\nWhileDegraded=no\n", 3, "belongs into [Budget]" },
                { "[Budget]\nMode=auto\n", 2, "Mode= is no limit of the machine" },
                { "[Budget]\nMatchLabel=a\n", 2, "MatchLabel= is no limit of the machine" },
                { "[Budget]\nMaxParallel=1\n", 2, "MaxParallel= is no limit of the machine" },
                { "[Budget \"a\"]\n", 1, "unknown section" },
                { "[Budget]\n[Budget]\n", 2, "[Budget] appears twice in this file" },
                { "[Budget]\nMaxRemoved=-1\n", 2, "MaxRemoved=-1: no number" },
                { "[Budget]\nMaxRemoved=65537\n", 2, "allowed are 0 to 65536" },
                { "[Budget]\nWhileDegraded=maybe\n", 2, "allowed are yes and no" },
                { "[Policy]\n\nMode\n", 3, "neither a [section] nor Key=value" },
                { "[Policy]\nMode\nFoo=1\n", 2, "neither a [section] nor Key=value" },
                { "[Policy]\nFoo=1\nMode\n", 2, "Foo=: unknown key" },
                { "[Policy]\nProtectProcess=a\n  b c\n", 3, "neither a [section] nor Key=value" },
                { "[Policy]\nFoo=1\n[Polcy]\n", 2, "Foo=: unknown key" },
                { "[Policy]\n[Policy]\n", 2, "[Policy] appears twice in this file" },
                { "[Policy \"a\"]\nMatchLabel=a\n[Policy \"a\"]\n", 3,
                        "[Policy \"a\"] appears twice in this file" },
                { "\n[Policy \"a\"]\nMode=auto\n", 2, "[Policy \"a\"] without any Match*=" },
                { "[Policy \"a\"]\nMatchLabel=a\nMatchLabel=\n", 1, "without any Match*=" },
                { "[Policy \"a\"]\n", 1, "without any Match*=" },
        };
        World *w = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                write_text(w, MAIN_FILE, cases[i].text);
                assert_fails_in(w, MAIN_FILE, cases[i].line, cases[i].part);
        }
}

/* It stands beside the policies: not one of them, and the same for all. */
static void test_budget(void **state)
{
        World *w = *state;

        write_text(w, MAIN_FILE,
                "[Budget]\nMaxRemoved=2\nWhileDegraded=no\n[Policy \"a\"]\nMatchLabel=a\n");
        write_text(w, RUN_DIR "/x.conf", "[Budget]\nMaxRemoved=3\n");
        assert_loads(w);
        assert_int_equal(w->config->n_policies, 2);
        assert_int_equal(w->config->policies[0]->max_removed, 3);
        assert_false(w->config->policies[0]->while_degraded);
        assert_string_equal(w->config->policies[1]->name, "a");
}

static void test_error_in_dropin(void **state)
{
        World *w = *state;

        write_text(w, MAIN_FILE, "[Policy]\nMode=auto\n");
        write_text(w, RUN_DIR "/x.conf", "[Policy \"a\"]\nMatchBus=e820\n\nMode=never\n");
        assert_fails_in(w, RUN_DIR "/x.conf", 4, "Mode=never: no such mode");
}

/* 200 is the smallest line buffer that libinih is built with. */
static void test_long_lines(void **state)
{
        char text[512], filler[400];
        World *w = *state;

        memset(filler, 'x', sizeof(filler));
        (void)snprintf(text, sizeof(text), "[Policy]\nProtectUnit=%.*s.*\n", 180, filler);
        write_text(w, MAIN_FILE, text);
        assert_loads(w);
        assert_int_equal(strlen(w->config->policies[0]->protect_unit[0]), 182);

        (void)snprintf(text, sizeof(text), "[Policy \"%.*s\"]\nMatchBus=*\n", 120, filler);
        write_text(w, MAIN_FILE, text);
        assert_loads(w);
        assert_int_equal(strlen(w->config->policies[1]->name), 120);
}

static void test_too_long_line(void **state)
{
        _cleanup_(freep) char *text = NULL;
        World *w = *state;

        text = string_printf("[Policy]\nProtectUnit=%0100000d.*\n", 0);
        assert_non_null(text);
        write_text(w, MAIN_FILE, text);
        assert_fails_in(w, MAIN_FILE, 2, "a line longer than");
}

static void test_not_text(void **state)
{
        static const char bytes[] = "[Policy]\nMode=auto\0\nMode=forced\n";
        World *w = *state;

        write_bytes(w, MAIN_FILE, bytes, sizeof(bytes) - 1);
        assert_fails_in(w, MAIN_FILE, 0, "NUL byte");
}

static void test_main_file_is_directory(void **state)
{
        World *w = *state;

        write_text(w, MAIN_FILE "/x", "");
        assert_fails_in(w, MAIN_FILE, 0, "cannot be read: Is a directory");
}

static void test_dropin_dangling(void **state)
{
        World *w = *state;
        _cleanup_(freep) char *link = in_root(w, ADMIN_DIR "/a.conf");

        write_text(w, ADMIN_DIR "/b.conf", "");
        assert_int_equal(symlink("/nowhere/at/all", link), 0);
        assert_fails_in(w, ADMIN_DIR "/a.conf", 0, "cannot be read: No such file");
}

static void test_key_info(void **state)
{
        size_t n = 0;

        for (; config_key_info(n); n++) {
                assert_non_null(config_key_info(n)->default_text);
                for (size_t i = 0; i < n; i++)
                        assert_string_not_equal(config_key_info(i)->name, config_key_info(n)->name);
        }
        assert_true(n > 0);
        assert_null(config_key_info(SIZE_MAX));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_built_in_values),
                cmocka_unit_test(test_modes),
                cmocka_unit_test(test_key_info),
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
                IN_WORLD(test_no_file),
                IN_WORLD(test_empty_file),
                IN_WORLD(test_every_key),
                IN_WORLD(test_inheritance),
                IN_WORLD(test_later_assignment_wins),
                IN_WORLD(test_dropins_in_order),
                IN_WORLD(test_dropin_replaces_its_name),
                IN_WORLD(test_dropin_masked),
                IN_WORLD(test_dropin_amends_section),
                IN_WORLD(test_one_file),
                IN_WORLD(test_one_file_must_exist),
                IN_WORLD(test_failure_may_be_null),
                IN_WORLD(test_values_refused),
                IN_WORLD(test_globs_accepted),
                IN_WORLD(test_lines_refused),
                IN_WORLD(test_budget),
                IN_WORLD(test_error_in_dropin),
                IN_WORLD(test_long_lines),
                IN_WORLD(test_too_long_line),
                IN_WORLD(test_not_text),
                IN_WORLD(test_main_file_is_directory),
                IN_WORLD(test_dropin_dangling),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
