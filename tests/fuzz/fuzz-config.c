/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A policy file: every error names its line, and what is accepted is within its limits. */

#include "config.h"
#include "fuzz.h"
#include "util/text.h"

/* What the table of keys promises to everybody behind it. */
static void check_policy(const Policy *p)
{
        fuzz_assert(p->mode >= 0 && p->mode < _MODE_MAX);
        fuzz_assert(p->drain.n <= LADDER_RUNGS_MAX);
        for (size_t i = 0; i < p->drain.n; i++)
                fuzz_assert(p->drain.rungs[i].signal > 0 &&
                            p->drain.rungs[i].wait_usec <= LADDER_WAIT_MAX_USEC);
        fuzz_assert(p->last_signal >= 0 && p->last_signal <= 64);
        fuzz_assert(p->freeze_timeout_usec > 0 && p->freeze_timeout_usec < USEC_INFINITY);
        fuzz_assert(p->freeze_budget_usec < USEC_INFINITY && p->unbind_timeout_usec > 0);
        fuzz_assert(p->open_gate >= OPEN_GATE_NO && p->open_gate <= OPEN_GATE_ALWAYS);
        fuzz_assert(p->keep_off >= KEEP_OFF_NO && p->keep_off <= KEEP_OFF_PERSISTENT);
        fuzz_assert(p->max_parallel > 0);
        (void)strv_fnmatch(p->match_mount, "/mnt/pmem");
        (void)strv_fnmatch(p->protect_process, "postgres");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(config_freep) Config *c = NULL;
        char path[FUZZ_PATH_MAX], prefix[FUZZ_PATH_MAX + 1];
        Failure f = { 0 };

        (void)fuzz_file(data, size);
        if (config_load_file(fuzz_file_path(path), &c, &f) < 0) {
                fuzz_assert_failure(&f);
                fuzz_assert(!c && f.kind == FAILURE_INVALID_CONFIG);
                (void)snprintf(prefix, sizeof(prefix), "%s:", path);
                fuzz_assert(strncmp(f.sentence, prefix, strlen(prefix)) == 0);
                return 0;
        }
        fuzz_assert(c->n_policies > 0 && !c->policies[0]->name);
        for (size_t i = 0; i < c->n_policies; i++) {
                check_policy(c->policies[i]);
                fuzz_assert(i == 0 || c->policies[i]->name);
        }
        return 0;
}
