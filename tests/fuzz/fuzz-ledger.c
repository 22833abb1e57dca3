/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A ledger as the file that a dead worker left, with anything in it: it is refused, or recovered to
 * an end. Every step of it is made up; engine and ledger are the real ones. The sum of the bytes
 * decides which step fails. */

#include <fcntl.h>

#include "fuzz.h"
#include "policy.h"
#include "removal-record.h"
#include "run.h"
#include "util/text.h"

#define STEPS_MAX 64

static StepOps fakes[STEPS_MAX];
static size_t n_fakes;
static unsigned fail_at;   /* step number; 0: none */
static bool check_refuses; /* what was begun cannot be begun again */
static unsigned calls;

static int fake_check(const Step *s, Run *run, Failure *f)
{
        calls++;
        return check_refuses ? failure_set(f, FAILURE_BUSY, -EBUSY, NULL, "cannot any more") : 0;
}

static int fake_apply(const Step *s, Run *run, Failure *f)
{
        calls++;
        if (s->number == fail_at)
                return failure_set(f, FAILURE_BUSY, -EBUSY, step_node(s), "made to fail");
        return streq(s->ops->name, "commit") ? run_commit(run) : 0;
}

static int fake_revert(const Step *s, Run *run, Failure *f)
{
        calls++;
        return s->number + 100 == fail_at ? -EIO : 0;
}

static bool fake_wanted(const Step *s)
{
        return s->number % 2;
}

/* The pipeline's steps by name, harmless. */
static const StepOps *lookup(const char *name)
{
        const StepOps *real = policy_find_step(name);

        for (size_t i = 0; i < n_fakes; i++)
                if (streq(fakes[i].name, name))
                        return &fakes[i];
        if (!real || n_fakes == STEPS_MAX)
                return NULL;
        fakes[n_fakes] = (StepOps){
                .name = real->name,
                .title = real->title,
                .check = fake_check,
                .apply = fake_apply,
                .revert = real->revert ? fake_revert : NULL,
                .wanted = real->wanted ? fake_wanted : NULL,
        };
        return &fakes[n_fakes++];
}

/* The picture that a starting daemon makes of it. */
static void recall(const Ledger *l)
{
        StepState *steps = calloc(l->plan->n_steps + 1, sizeof(*steps));
        Removal r = {
                .request = l->request,
                .plan = l->plan,
                .steps = steps,
                .replaying = true,
        };

        fuzz_assert(steps);
        removal_forget(&r);
        for (size_t i = 0; i < l->n_records; i++) {
                (void)removal_take(&r, l->records[i]);
                (void)removal_record_properties(l->records[i]->verb);
                fuzz_assert(r.running <= l->plan->n_steps);
                fuzz_assert(removal_percent(&r) <= 100);
                fuzz_assert(r.rung <= MAX_OF(l->plan->n_roads, (size_t)1));
        }
        removal_forget(&r);
        free(steps);
}

static Ledger *reopen(int fd)
{
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        Ledger *l = NULL;

        fuzz_assert(copy >= 0);
        if (ledger_open_fd(copy, lookup, &l) < 0)
                (void)close(copy);
        return l;
}

/* What recovery wrote is read back as what it meant. */
static void check_end(int fd, size_t before)
{
        _cleanup_(ledger_freep) Ledger *again = reopen(fd);
        Failure f = { 0 };
        size_t n;

        fuzz_assert(again && ledger_finished(again, NULL));
        n = again->n_records;
        fuzz_assert(n == before || again->torn_at < 0);
        fuzz_assert(n >= before);
        fuzz_assert(run_recover(again, -EBADF, &f) == 0 && again->n_records == n);
        recall(again);
}

static void recover(int fd, uint8_t sum)
{
        _cleanup_(ledger_freep) Ledger *l = reopen(fd);
        Failure f = { 0 };
        size_t before;
        int r;

        if (!l)
                return;
        recall(l);
        before = l->n_records;
        fail_at = sum % 8 + (sum & 0x40 ? 100 : 0);
        check_refuses = sum & 0x80;
        calls = 0;
        r = run_recover(l, -EBADF, &f);
        if (r < 0)
                fuzz_assert_failure(&f);
        if (calls > 0)
                fuzz_assert(l->n_records > before);
        check_end(fd, before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint8_t sum = 0;
        int fd;

        for (size_t i = 0; i < size; i++)
                sum = (uint8_t)(sum + data[i]);
        fd = fuzz_file(data, size);
        fuzz_assert(fcntl(fd, F_SETFL, O_APPEND) == 0);
        recover(fd, sum);
        fuzz_assert(fcntl(fd, F_SETFL, 0) == 0);
        return 0;
}
