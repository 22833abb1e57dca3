/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A disk that fails, or is full: each call that the ledger makes to it fails once. What could not
 * be created is not there, what was told as written is, and what could not be read now is not
 * called damaged. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "ledger.h"
#include "manager.h"
#include "recover.h"
#include "removal.h"
#include "util/text.h"

static char dir[] = "/dev/shm/pmemremoved-test-XXXXXX";
static const char *failing; /* NULL: it has, or none does */
static unsigned passes;     /* so often before that */
static int with;

static bool fails(const char *call)
{
        if (!failing || !streq(failing, call) || passes-- > 0)
                return false;
        failing = NULL;
        errno = with;
        return true;
}

#define WRAP(type, call, params, args)                                                             \
        type __real_##call params;                                                                 \
        type __wrap_##call params;                                                                 \
        type __wrap_##call params                                                                  \
        {                                                                                          \
                return fails(#call) ? -1 : __real_##call args;                                     \
        }

WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, flock, (int fd, int how), (fd, how))
WRAP(int, ftruncate, (int fd, off_t size), (fd, size))
WRAP(int, fallocate, (int fd, int mode, off_t from, off_t size), (fd, mode, from, size))
WRAP(int, linkat, (int a, const char *from, int b, const char *to, int flags),
        (a, from, b, to, flags))
WRAP(ssize_t, pread, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at))
WRAP(ssize_t, pwrite, (int fd, const void *buf, size_t n, off_t at), (fd, buf, n, at))

/* What _FORTIFY_SOURCE=3 makes of it where the buffer came from malloc(). */
ssize_t __real___pread_chk(int fd, void *buf, size_t n, off_t at, size_t room);
ssize_t __wrap___pread_chk(int fd, void *buf, size_t n, off_t at, size_t room);
ssize_t __wrap___pread_chk(int fd, void *buf, size_t n, off_t at, size_t room)
{
        return fails("pread") ? -1 : __real___pread_chk(fd, buf, n, at, room);
}

/* As a disk that gets full does it: half of it first. */
ssize_t __real_write(int fd, const void *buf, size_t n);
ssize_t __wrap_write(int fd, const void *buf, size_t n);
ssize_t __wrap_write(int fd, const void *buf, size_t n)
{
        if (!failing || !streq(failing, "write"))
                return __real_write(fd, buf, n);
        if (passes == 1 && n > 1)
                n /= 2;
        return fails("write") ? -1 : __real_write(fd, buf, n);
}

static int create(Ledger **ret)
{
        _cleanup_(request_freep) Request *req = request_new();
        _cleanup_(plan_freep) Plan *p = plan_new();

        assert_int_equal(free_and_strdup(&req->target, "namespace0.0"), 0);
        p->target = record_new("target", "namespace0.0");
        assert_int_equal(plan_seal(p), 0);
        return ledger_create(dir, req, p, ret);
}

static size_t count(void)
{
        _cleanup_(freep) uint64_t *ids = NULL;
        size_t n;

        assert_int_equal(ledger_list(dir, &ids, &n), 0);
        return n;
}

static void assert_created_next(void)
{
        _cleanup_(ledger_freep) Ledger *l = NULL, *again = NULL;

        assert_int_equal(create(&l), 0);
        assert_int_equal(count(), 1);
        assert_int_equal(ledger_load(l->path, policy_find_step, &again), 0);
        assert_int_equal(unlink(l->path), 0);
}

/* True: it came to the call so often. */
static bool create_with(const char *call, unsigned k)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;
        int r;

        failing = call;
        passes = k;
        with = ENOSPC;
        r = create(&l);
        if (failing) {
                failing = NULL;
                assert_int_equal(r, 0);
                assert_int_equal(unlink(l->path), 0);
                return false;
        }
        if (r != -ENOSPC)
                fail_msg("%s, %u: %s", call, k, strerror(-r));
        assert_null(l);
        assert_int_equal(count(), 0);
        return true;
}

static void test_creation(void **state)
{
        static const char *const calls[] = { "fdatasync", "fsync", "flock", "fallocate", "linkat",
                "pread", "pwrite", "write" };

        for (size_t i = 0; i < ELEMENTSOF(calls); i++) {
                unsigned k = 0;

                while (create_with(calls[i], k)) {
                        assert_created_next();
                        k++;
                }
                assert_true(k > 0);
        }
}

/* A filesystem that cannot reserve room is not full. */
static void test_nothing_reserved(void **state)
{
        Ledger *l = NULL;

        failing = "fallocate";
        passes = 0;
        with = EOPNOTSUPP;
        assert_int_equal(create(&l), 0);
        assert_null(failing);
        assert_int_equal(unlink(l->path), 0);
        ledger_free(l);
}

static int append(Ledger *l, const char *verb)
{
        _cleanup_(record_freep) Record *r = record_new(verb, "a-name-that-is-cut");

        return ledger_append(l, r);
}

static void assert_has(const Ledger *l, const char *first, const char *second)
{
        _cleanup_(ledger_freep) Ledger *now = NULL;

        assert_int_equal(ledger_load(l->path, policy_find_step, &now), 0);
        assert_int_equal(now->torn_at, -1);
        assert_int_equal(now->n_records, 2);
        assert_string_equal(now->records[0]->verb, first);
        assert_string_equal(now->records[1]->verb, second);
}

/* What was not called written has not been said, once there is something else to say. */
static void test_append(void **state)
{
        static const struct {
                const char *call;
                unsigned passes;
        } rows[] = { { "write", 0 }, { "write", 1 }, { "fdatasync", 0 } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Ledger *l = NULL;

                assert_int_equal(create(&l), 0);
                assert_int_equal(append(l, "first"), 0);
                failing = rows[i].call;
                passes = rows[i].passes;
                with = ENOSPC;
                assert_int_equal(append(l, "unsaid"), -ENOSPC);
                assert_null(failing);
                assert_int_equal(l->n_records, 1);
                /* Nor can what is left of it be cut off now. */
                failing = "ftruncate";
                with = EIO;
                passes = 0;
                assert_int_equal(append(l, "unsaid"), -EIO);
                assert_int_equal(l->n_records, 1);
                assert_int_equal(append(l, "second"), 0);
                assert_has(l, "first", "second");
                assert_int_equal(unlink(l->path), 0);
                ledger_free(l);
        }
}

/* It is a good one that waits to be recovered: nobody is told to delete it. */
static void test_not_readable_now(void **state)
{
        Ledger *l = NULL, *again = NULL;
        Failure f = { 0 };
        int r;

        assert_int_equal(create(&l), 0);
        failing = "pread";
        passes = 0;
        with = EIO;
        r = ledger_load(l->path, policy_find_step, &again);
        assert_null(failing);
        assert_null(again);
        assert_int_equal(r, -EIO);
        assert_true(recover_is_shortage(r));
        assert_int_equal(recover_refuse(dir, l->id, r, &f), r);
        assert_null(strstr(f.sentence, "delete"));
        assert_int_equal(ledger_load(l->path, policy_find_step, &again), 0);
        assert_int_equal(unlink(l->path), 0);
        ledger_free(again);
        ledger_free(l);
}

static void test_interrupted(void **state)
{
        static const char *const calls[] = { "write", "pread" };

        for (size_t i = 0; i < ELEMENTSOF(calls); i++) {
                _cleanup_(ledger_freep) Ledger *l = NULL, *again = NULL;

                assert_int_equal(create(&l), 0);
                failing = calls[i];
                passes = 0;
                with = EINTR;
                assert_int_equal(append(l, "first"), 0);
                assert_int_equal(ledger_load(l->path, policy_find_step, &again), 0);
                assert_null(failing);
                assert_int_equal(again->n_records, 1);
                assert_int_equal(unlink(l->path), 0);
        }
}

/* Nothing is begun, and the caller keeps what he gave; what he is told to do helps against that
 * cause, and nobody deletes anything because /run is full. */
static void test_told(void **state)
{
        static const struct {
                int with;
                const char *cause, *next;
        } rows[] = {
                { ENOSPC, "No space left on device", "make room there and ask again" },
                { EDQUOT, "Disk quota exceeded", "make room there and ask again" },
                { EIO, "Input/output error", "ask again" },
                { EWOULDBLOCK, "Resource temporarily unavailable", "ask again" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Manager m = { .ledger_dir = dir };
                Request *req = request_new();
                Plan *p = plan_new();
                Removal *r = NULL;
                Failure f = { 0 };

                assert_int_equal(free_and_strdup(&req->target, "namespace0.0"), 0);
                p->target = record_new("target", "namespace0.0");
                failing = "pwrite";
                passes = 0;
                with = rows[i].with;
                assert_int_equal(removal_new(&m, &req, &p, "namespace0.0", &r, &f), -rows[i].with);
                assert_null(r);
                assert_string_equal(req->target, "namespace0.0");
                assert_non_null(p->target);
                assert_int_equal(m.n_removals, 0);
                assert_string_equal(f.node, dir);
                assert_non_null(strstr(f.sentence, rows[i].cause));
                assert_non_null(strstr(f.sentence, rows[i].next));
                assert_null(strstr(f.sentence, "deleted"));
                (void)request_free(req);
                (void)plan_free(p);
        }
}

static void test_no_folder(void **state)
{
        char gone[] = "/dev/shm/pmemremoved-test-XXXXXX";
        _cleanup_(freep) char *below = NULL, *file = NULL;
        _cleanup_(freep) uint64_t *ids = NULL;
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(ledger_freep) Ledger *l = NULL;
        _cleanup_(request_freep) Request *req = request_new();
        _cleanup_(plan_freep) Plan *p = plan_new();
        size_t n;

        assert_non_null(mkdtemp(gone));
        below = string_printf("%s/a/b", gone);
        file = string_printf("%s/file", gone);
        p->target = record_new("target", "namespace0.0");
        assert_int_equal(free_and_strdup(&req->target, "namespace0.0"), 0);
        assert_int_equal(ledger_create(strempty(below), req, p, &l), -ENOENT);
        fd = open(strempty(file), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_true(ledger_create(file, req, p, &l) < 0);
        assert_int_equal(ledger_list(file, &ids, &n), -ENOTDIR);
        assert_null(l);
        (void)unlink(file);
        assert_int_equal(rmdir(gone), 0);
}

static int setup(void **state)
{
        return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
        _cleanup_(freep) char *last = string_printf("%s/last-id", dir);

        (void)unlink(strempty(last));
        return rmdir(dir);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_creation),
                cmocka_unit_test(test_nothing_reserved),
                cmocka_unit_test(test_append),
                cmocka_unit_test(test_not_readable_now),
                cmocka_unit_test(test_interrupted),
                cmocka_unit_test(test_told),
                cmocka_unit_test(test_no_folder),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
