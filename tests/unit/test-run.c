/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Kills the worker at every ledger write and around every apply and revert, then kills recovery at
 * every such point too, and demands that the world ends either untouched or complete. The steps are
 * made up; ledger, engine and recovery are the real ones. */

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "fixture-crash.h"
#include "recover.h"

/* The world outlives every process: what the kernel would hold. */
typedef struct World {
        int applied[8]; /* by step number */
        int applies[8];
        int fail_at; /* step whose apply fails */
        int fail_also;
        int refuse_at;     /* step whose apply fails before it did anything */
        int gone_at;       /* step that somebody else makes impossible */
        int child_dies_at; /* step whose first apply does not come to know what became of it */
        FailureKind fail_kind;
        int revert_fails_at;
        int revert_err;   /* with that, as long as revert_fails says */
        int revert_fails; /* so often */
        int cancel_at;    /* step during which the parent says cancel */
        int no_end;       /* step whose end cannot be put into words */
        pid_t held_by;    /* by "hold", for as long as that process lives */
} World;

static World *world;
Record *__real_record_new(const char *verb, const char *name);
Record *__wrap_record_new(const char *verb, const char *name);

/* No memory at the end of that step. */
Record *__wrap_record_new(const char *verb, const char *name)
{
        return world && world->no_end > 0 && streq(verb, "end") &&
                               (int)strtol(name, NULL, 10) == world->no_end
                       ? NULL
                       : __real_record_new(verb, name);
}

static int fake_check(const Step *s, Run *run, Failure *f)
{
        return world->applied[s->number] || world->gone_at == (int)s->number ? -EEXIST : 0;
}

static int fake_apply(const Step *s, Run *run, Failure *f)
{
        point();
        world->applies[s->number]++;
        if (world->child_dies_at == (int)s->number && world->applies[s->number] == 1)
                return failure_set(f, FAILURE_FAILED, -EOWNERDEAD, "node", "its child died");
        if (world->refuse_at == (int)s->number)
                return failure_set(f, FAILURE_FAILED, -EBUSY, "node", "made to refuse");
        if (world->fail_at == (int)s->number || world->fail_also == (int)s->number) {
                world->applied[s->number] = 1; /* half done is done as far as revert is concerned */
                return failure_set(f, world->fail_kind, -EBUSY, "node", "made to fail");
        }
        world->applied[s->number] = 1;
        point();
        return 0;
}

static int revert_now(const Step *s)
{
        world->applied[s->number] = 0;
        point();
        return 0;
}

static int fake_revert(const Step *s, Run *run, Failure *f)
{
        point();
        if (world->revert_fails_at == (int)s->number && world->revert_err > 0)
                return world->revert_fails-- > 0 ? -world->revert_err : revert_now(s);
        if (world->revert_fails_at == (int)s->number)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, -EIO, "node", "cannot be undone");
        return revert_now(s);
}

static int fake_commit(const Step *s, Run *run, Failure *f)
{
        point();
        return run_note(run, "committed", NULL, NULL);
}

/* As FIFREEZE: not twice, and only whoever did it can go on. */
static int fake_hold(const Step *s, Run *run, Failure *f)
{
        if (world->applied[s->number])
                return failure_set(f, FAILURE_BUSY, -EBUSY, "node", "somebody else did");
        world->held_by = getpid();
        return fake_apply(s, run, f);
}

static bool fake_wanted(const Step *s)
{
        return !world->applied[s->number + 1];
}

static int fake_need(const Step *s, Run *run, Failure *f)
{
        if (!world->applied[s->number] && world->held_by != getpid())
                return failure_set(f, FAILURE_FAILED, -EBUSY, "node", "nobody holds it");
        return fake_apply(s, run, f);
}

static int fake_cancel(const Step *s, Run *run, Failure *f)
{
        return run_check_cancel(run, f);
}

/* More than fits into any socket, and one word that is too long for it. */
static int fake_chatter(const Step *s, Run *run, Failure *f)
{
        char number[16], *text = calloc(1, RUN_LINE_MAX + 1);
        int r;

        assert_non_null(text);
        memset(text, 'x', RUN_LINE_MAX);
        r = run_note(run, "warn", "long", "text", text, NULL);
        free(text);
        for (int i = 0; i < 3000 && r == 0; i++) {
                (void)snprintf(number, sizeof(number), "%d", i);
                r = run_note(
                        run, "warn", number, "text", "so many words that the socket is full", NULL);
        }
        return r;
}

static int fake_wait(const Step *s, Run *run, Failure *f)
{
        return run_wait_proceed(run, usec_add(now_usec(), 10 * USEC_PER_SEC), f);
}

static const StepOps ops_turn = { "turn", "turning", fake_check, fake_apply, fake_revert };
static const StepOps ops_commit = { "commit", "committing", NULL, fake_commit, NULL };
static const StepOps ops_final = { "final", "finishing", fake_check, fake_apply, NULL };
static const StepOps ops_hold = { "hold", "holding", NULL, fake_hold, fake_revert, fake_wanted };
static const StepOps ops_need = { "need", "needing", fake_check, fake_need, NULL };
static const StepOps ops_cancel = { "cancelled", "being cancelled", NULL, fake_cancel,
        fake_revert };

static const StepOps ops_chatter = { "chatter", "talking", NULL, fake_chatter, fake_revert };
static const StepOps ops_wait = { "wait", "waiting", NULL, fake_wait, fake_revert };

/* Takes the place of the pipeline's registry: policy.o is not linked into this program. */
const StepOps *policy_find_step(const char *name)
{
        static const StepOps *const all[] = { &ops_turn, &ops_commit, &ops_final, &ops_hold,
                &ops_need, &ops_cancel, &ops_chatter, &ops_wait };

        return find_among(all, ELEMENTSOF(all), name);
}

/* --- one removal --- */

/* "turn2": on the second rung only. */
static Ledger *new_ledger(const char *const steps[])
{
        Plan *p = start_plan();

        for (; *steps; steps++) {
                size_t n = strcspn(*steps, "12");
                _cleanup_(freep) char *op = strndup(*steps, n);

                add_step(p, op, (*steps)[n] ? (unsigned)((*steps)[n] - '0') : 0, "node", NULL);
        }
        return create_ledger(dir, NULL, p);
}

static void reset_world(void)
{
        *world = (World){ 0 };
}

static Ledger *fresh(const char *const steps[])
{
        Ledger *l;

        l = new_ledger(steps);
        /* Each life locks for itself. */
        l->fd = safe_close(l->fd);
        reset_world();
        return l;
}

static void assert_clean(size_t n)
{
        for (size_t i = 1; i <= n; i++)
                assert_int_equal(world->applied[i], 0);
}

/* Either nothing of it is left, or all of it is there and the ledger says done. */
static void assert_untouched_or_complete(const Ledger *l, size_t n, size_t commit)
{
        bool last = world->applied[n];

        if (streq(result_of(l), "done")) {
                for (size_t i = 1; i <= n; i++)
                        assert_true(world->applied[i] || i == commit);
                return;
        }
        assert_false(last);
        assert_clean(n);
}

static const char *const plain[] = { "turn", "turn", "commit", "final", "final", NULL };

static void test_success(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(plain);

        assert_false(life(l, false, 0));
        assert_string_equal(result_of(l), "done");
        for (size_t i = 1; i <= 5; i++)
                assert_true(world->applied[i] || i == 3);
}

static Ledger *fresh_plain(void)
{
        return fresh(plain);
}

static void check_plain(const Ledger *l)
{
        assert_untouched_or_complete(l, 5, 3);
}

static const Crash crash_plain = { fresh_plain, check_plain, 1 };

/* two syncs per record, two points per apply: there must have been many */
static void test_every_death_then_recovery(void **state)
{
        assert_true(every_death(&crash_plain) > 20);
}

static void test_every_death_in_recovery(void **state)
{
        assert_true(every_death_in_recovery(&crash_plain) > 100);
}

static Ledger *fresh_held(void)
{
        static const char *const steps[] = { "turn", "commit", "final", "hold", "need", NULL };

        return fresh(steps);
}

static void check_held(const Ledger *l)
{
        assert_untouched_or_complete(l, 5, 2);
}

static void test_what_is_held_is_taken_up_again(void **state)
{
        static const Crash crash = { fresh_held, check_held, 1 };

        assert_true(every_death(&crash) > 20);
}

static void test_failing_step_is_reverted_too(void **state)
{
        for (int fail = 1; fail <= 2; fail++) {
                _cleanup_(ledger_freep) Ledger *l = fresh(plain);

                world->fail_at = fail;
                world->fail_kind = FAILURE_TIMED_OUT;
                assert_false(life(l, false, 0));
                assert_string_equal(result_of(l), "timed-out");
                assert_clean(5);
        }
}

static void test_failure_past_commit_goes_forward(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(plain);

        world->fail_at = 4;
        world->fail_kind = FAILURE_BUSY;
        assert_false(life(l, false, 0));
        assert_string_equal(result_of(l), "partial");
        assert_true(world->applied[1] && world->applied[5]);
}

/* The OOM killer takes the child of a step: past the commit point that is no reason to leave half
 * of it, before it everything is undone. */
static void test_killed_child_past_commit(void **state)
{
        for (int step = 1; step <= 5; step++) {
                _cleanup_(ledger_freep) Ledger *l = fresh(plain);

                if (step == 3)
                        continue;
                world->child_dies_at = step;
                assert_false(life(l, false, 0));
                assert_string_equal(result_of(l), step > 3 ? "done" : "failed");
                assert_int_equal(world->applies[step], step > 3 ? 2 : 1);
                if (step < 3)
                        assert_clean(5);
        }
}

/* What did its work is not taken back past the commit point because there was no memory to say so;
 * before it, everything is undone, and told why. */
static void test_end_without_words(void **state)
{
        for (int step = 1; step <= 5; step++) {
                _cleanup_(ledger_freep) Ledger *l = fresh(plain), *now = NULL;

                world->no_end = step;
                assert_false(life(l, false, 0));
                world->no_end = 0;
                assert_string_equal(result_of(l), step >= 3 ? "done" : "failed");
                if (step >= 3) {
                        assert_true(world->applied[4] && world->applied[5]);
                        continue;
                }
                assert_clean(5);
                now = reload(l);
                assert_string_equal(record_get(ledger_last(now, "fail"), "sentence"),
                        "turning failed: Cannot allocate memory");
        }
}

static void test_nothing_begun_past_commit_is_undone(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(plain), *again = fresh(plain);

        world->refuse_at = 4;
        assert_false(life(l, false, 0));
        assert_string_equal(result_of(l), "failed");
        assert_clean(5);

        /* Something is done by then. */
        world->refuse_at = 5;
        assert_false(life(again, false, 0));
        assert_string_equal(result_of(again), "partial");
        assert_true(world->applied[1] && world->applied[4]);
}

static bool has_turned_round(const Ledger *l)
{
        _cleanup_(ledger_freep) Ledger *now = reload(l);

        return ledger_last(now, "rollback");
}

/* It turned round past the commit point, and died. That somebody else takes the device away before
 * it is recovered is no reason to kill for it after all. */
static void test_who_turned_round_stays_on_the_way_back(void **state)
{
        int deaths = 0;

        for (int k = 1;; k++) {
                _cleanup_(ledger_freep) Ledger *l = fresh(plain);

                world->refuse_at = 4;
                if (!life(l, false, k))
                        break;
                if (!has_turned_round(l))
                        continue;
                deaths++;
                world->refuse_at = 0;
                world->gone_at = 4;
                assert_false(life(l, true, 0));
                assert_string_equal(result_of(l), "failed");
                assert_clean(5);
        }
        assert_true(deaths > 5);
}

static void test_revert_failure_is_stuck_but_goes_on(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(plain);

        world->fail_at = 2;
        world->fail_kind = FAILURE_BUSY;
        world->revert_fails_at = 2;
        assert_false(life(l, false, 0));
        assert_string_equal(result_of(l), "stuck");
        assert_int_equal(world->applied[1], 0);
        assert_int_equal(world->applied[2], 1);
}

static const char *const ladder[] = { "turn", "turn1", "turn1", "turn2", "final", NULL };

/* Nothing stands in the way of a revert that got no memory, or whose child the OOM killer took: it
 * is tried again, and nobody needs a human. */
static void test_revert_is_tried_again(void **state)
{
        static const int errs[] = { ENOMEM, EOWNERDEAD };

        for (size_t i = 0; i < ELEMENTSOF(errs); i++) {
                _cleanup_(ledger_freep) Ledger *l = fresh(plain);

                world->fail_at = 2;
                world->fail_kind = FAILURE_FAILED;
                world->revert_fails_at = 1;
                world->revert_err = errs[i];
                world->revert_fails = 2;
                assert_false(life(l, false, 0));
                assert_string_equal(result_of(l), "failed");
                assert_clean(5);
        }
}

static void test_busy_climbs(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(ladder);

        world->fail_at = 2;
        world->fail_kind = FAILURE_BUSY;
        assert_false(life(l, false, 0));
        assert_string_equal(result_of(l), "done");
        assert_int_equal(world->applies[3], 0); /* the rest of the first rung was left out */
        assert_int_equal(world->applies[4], 1);
        assert_int_equal(world->applies[1], 1);
}

/* What made it climb is forgiven: a death on the second rung is told as the death that it was. */
static void test_death_after_climb(void **state)
{
        static const char *const steps[] = { "turn", "turn1", "turn1", "turn2", "turn", NULL };
        unsigned climbed = 0;

        for (int k = 1;; k++) {
                _cleanup_(ledger_freep) Ledger *l = fresh(steps), *now = NULL;
                bool died;

                world->fail_at = 2;
                world->fail_kind = FAILURE_BUSY;
                died = life(l, false, k);
                now = reload(l);
                if (!died)
                        break;
                world->fail_at = 0;
                assert_false(life(l, true, 0));
                if (!streq(result_of(l), "done"))
                        assert_clean(5);
                if (!ledger_last(now, "climb") || streq(result_of(l), "done"))
                        continue;
                assert_string_equal(result_of(l), "failed");
                climbed++;
        }
        assert_true(climbed > 3);
}

static void test_other_failures_do_not_climb(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(ladder);

        world->fail_at = 2;
        world->fail_kind = FAILURE_TIMED_OUT;
        assert_false(life(l, false, 0));
        assert_string_equal(result_of(l), "timed-out");
        assert_int_equal(world->applies[4], 0);
        assert_clean(5);
}

static void test_busy_on_last_rung_is_undone(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(ladder);

        world->fail_at = 2;
        world->fail_also = 4;
        world->fail_kind = FAILURE_BUSY;
        assert_false(life(l, false, 0));
        assert_clean(5);
        assert_string_equal(result_of(l), "refused");
}

static void test_lost_parent_cancels(void **state)
{
        static const char *const steps[] = { "turn", "cancelled", "final", NULL };
        _cleanup_(ledger_freep) Ledger *l = fresh(steps);
        _cleanup_(ledger_freep) Ledger *mine = reload(l);
        Failure f = { 0 };
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        (void)close(pair[0]);
        assert_true(run_plan(mine, pair[1], &f) < 0);
        (void)close(pair[1]);
        assert_int_equal(f.kind, FAILURE_CANCELLED);
        assert_string_equal(result_of(l), "cancelled");
        assert_clean(3);
}

static const Record *next_word(int fd, Record **ret)
{
        static char line[RUN_LINE_MAX + 1];
        ssize_t n = recv(fd, line, RUN_LINE_MAX, 0);

        record_free(*ret);
        *ret = NULL;
        if (n <= 0)
                return NULL;
        line[n] = '\0';
        assert_int_equal(record_parse(line, ret), 0);
        return *ret;
}

/* A parent that does not read is not waited for. When it reads again it is told, while the run goes
 * on, where the gap is, and what comes then is what follows. */
static void test_parent_is_told_what_it_missed(void **state)
{
        static const char *const steps[] = { "chatter", "wait", "turn", NULL };
        _cleanup_(ledger_freep) Ledger *l = fresh(steps), *all = NULL;
        _cleanup_(record_freep) Record *word = NULL;
        size_t heard = 0, gaps = 0;
        int pair[2];
        pid_t pid;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                Ledger *mine = reload(l);
                Failure f = { 0 };

                (void)close(pair[0]);
                _exit(run_plan(mine, pair[1], &f) < 0 ? 1 : 0);
        }
        (void)close(pair[1]);
        /* It has come to its wait without us. */
        for (unsigned i = 0; i < 1000 && (!all || !ledger_began(all, 2)); i++) {
                ledger_free(all);
                pause_usec(10 * USEC_PER_MSEC);
                all = reload(l);
        }
        assert_true(ledger_began(all, 2));
        while (heard < all->n_records && next_word(pair[0], &word)) {
                uint64_t until;

                if (!streq(word->verb, "missed")) {
                        assert_string_equal(word->verb, all->records[heard]->verb);
                        assert_string_equal(
                                strempty(word->name), strempty(all->records[heard++]->name));
                        continue;
                }
                assert_int_equal(record_get_u64(word, "until", &until), 0);
                assert_true(until > heard);
                heard = until;
                gaps++;
        }
        assert_int_equal(heard, all->n_records);
        assert_true(gaps >= 2);
        assert_int_equal(send(pair[0], "proceed", 7, MSG_NOSIGNAL), 7);
        while (next_word(pair[0], &word))
                assert_string_not_equal(word->verb, "missed");
        (void)close(pair[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_string_equal(result_of(l), "done");
}

static void test_torn_tail_is_ignored(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(plain);
        int fd = open(l->path, O_WRONLY | O_APPEND | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, "begin 1 st", 10), 10);
        (void)close(fd);
        assert_false(life(l, true, 0));
        assert_clean(5);
        assert_string_equal(result_of(l), "failed");
}

/* A full disk takes the first half of a line: what is written once there is room again must not be
 * glued to it. */
static void test_line_cut_short_is_not_continued(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = new_ledger(plain), *again = NULL;
        _cleanup_(record_freep) Record *r = record_new("warn", "a-name-that-is-cut");
        struct rlimit old, small;
        struct stat st;
        blkcnt_t reserved;

        assert_int_equal(stat(l->path, &st), 0);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
        small = (struct rlimit){ .rlim_cur = (rlim_t)st.st_size + 7, .rlim_max = old.rlim_max };
        (void)signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        assert_int_equal(ledger_append(l, r), -EFBIG);
        assert_int_equal(ledger_append(l, r), -EFBIG);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(l->n_records, 0);
        again = reload(l);
        assert_int_equal(again->n_records, 0);
        again = ledger_free(again);
        assert_int_equal(ledger_append(l, r), 0);
        assert_int_equal(ledger_append(l, r), 0);
        again = reload(l);
        assert_int_equal(again->n_records, 2);
        assert_string_equal(again->records[1]->name, "a-name-that-is-cut");
        /* The room for what follows is there again. */
        reserved = st.st_blocks;
        assert_int_equal(stat(l->path, &st), 0);
        assert_true(st.st_blocks >= reserved);
}

/* A life whose ledger can grow by so many bytes only; what it told its parent last is left in word.
 */
static void life_on_full_disk(const Ledger *l, size_t room, char word[static 512])
{
        int pair[2];
        pid_t pid;
        ssize_t n;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                Ledger *mine = NULL;
                Failure f = { 0 };
                struct stat st;
                int r = ledger_load(l->path, policy_find_step, &mine);

                (void)signal(SIGXFSZ, SIG_IGN);
                if (r < 0 || fstat(mine->fd, &st) < 0 ||
                        setrlimit(RLIMIT_FSIZE,
                                &(struct rlimit){ (rlim_t)st.st_size + room, RLIM_INFINITY }) < 0)
                        _exit(99);
                r = run_plan(mine, pair[1], &f);
                _exit(r < 0 ? 1 : 0);
        }
        (void)close(pair[1]);
        word[0] = '\0';
        while ((n = recv(pair[0], word, 511, 0)) > 0)
                word[n] = '\0';
        (void)close(pair[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* What cannot be written is done or taken back all the same, and told as what it is. */
static void test_full_disk(void **state)
{
        char word[512];
        size_t undone = 0, room = 0;

        do {
                _cleanup_(ledger_freep) Ledger *l = fresh(plain);

                life_on_full_disk(l, room, word);
                if (strstr(word, "state=rolled-back")) {
                        undone++;
                        assert_clean(5);
                } else {
                        assert_non_null(strstr(word, "state=succeeded"));
                        assert_true(world->applied[5]);
                }
                /* With room again, and another life if the last word is missing, it stays that. */
                assert_false(life(l, true, 0));
                if (strstr(word, "state=rolled-back"))
                        assert_clean(5);
                else
                        assert_true(world->applied[5]);
                room += 7;
        } while (room < 600);
        assert_true(undone > 5);
}

static void test_foreign_ledger_is_refused(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = fresh(plain);
        Ledger *again = NULL;

        assert_int_equal(chmod(l->path, 0666), 0);
        assert_int_equal(ledger_load(l->path, policy_find_step, &again), -EPERM);
        assert_null(again);
}

static void test_lock_keeps_second_worker_out(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = new_ledger(plain); /* created locked */
        _cleanup_(ledger_freep) Ledger *other = reload(l);

        assert_int_equal(ledger_lock(other, false), -EWOULDBLOCK);
}

static void test_ids_are_never_reused(void **state)
{
        _cleanup_(ledger_freep) Ledger *a = new_ledger(plain);
        uint64_t id = a->id;
        _cleanup_(ledger_freep) Ledger *b = NULL;

        assert_int_equal(unlink(a->path), 0);
        b = new_ledger(plain);
        assert_true(b->id > id);
}

static int setup(void **state)
{
        world = share(sizeof(*world));
        fate = share(sizeof(*fate));
        return mkdtemp(dir) ? 0 : -1;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_success),
                cmocka_unit_test(test_every_death_then_recovery),
                cmocka_unit_test(test_every_death_in_recovery),
                cmocka_unit_test(test_what_is_held_is_taken_up_again),
                cmocka_unit_test(test_failing_step_is_reverted_too),
                cmocka_unit_test(test_failure_past_commit_goes_forward),
                cmocka_unit_test(test_killed_child_past_commit),
                cmocka_unit_test(test_end_without_words),
                cmocka_unit_test(test_nothing_begun_past_commit_is_undone),
                cmocka_unit_test(test_who_turned_round_stays_on_the_way_back),
                cmocka_unit_test(test_revert_failure_is_stuck_but_goes_on),
                cmocka_unit_test(test_revert_is_tried_again),
                cmocka_unit_test(test_busy_climbs),
                cmocka_unit_test(test_death_after_climb),
                cmocka_unit_test(test_other_failures_do_not_climb),
                cmocka_unit_test(test_busy_on_last_rung_is_undone),
                cmocka_unit_test(test_lost_parent_cancels),
                cmocka_unit_test(test_parent_is_told_what_it_missed),
                cmocka_unit_test(test_torn_tail_is_ignored),
                cmocka_unit_test(test_line_cut_short_is_not_continued),
                cmocka_unit_test(test_full_disk),
                cmocka_unit_test(test_foreign_ledger_is_refused),
                cmocka_unit_test(test_lock_keeps_second_worker_out),
                cmocka_unit_test(test_ids_are_never_reused),
        };

        return cmocka_run_group_tests(tests, setup, remove_dir);
}
