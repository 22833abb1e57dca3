/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ledgers that somebody else could have written, or that are damaged: each is refused with its
 * cause, by the reader, by --recover and by the daemon, at once, and stays as it is. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ledger.h"
#include "manager.h"
#include "recover.h"
#include "util/log.h"
#include "util/own-file.h"
#include "util/text.h"

/* Whoever waits, waits for ever. */
#define HANG_SEC 60

static char dir[] = "/tmp/pmemremoved-ledger-XXXXXX";
static char path[64], other[64];

static Ledger *create(int *ret)
{
        _cleanup_(request_freep) Request *req = request_new();
        _cleanup_(plan_freep) Plan *p = plan_new();
        Ledger *l = NULL;

        assert_int_equal(free_and_strdup(&req->target, "namespace0.0"), 0);
        p->target = record_new("target", "namespace0.0");
        assert_int_equal(plan_seal(p), 0);
        *ret = ledger_create(dir, req, p, &l);
        return l;
}

static char *content(void)
{
        char *text = NULL;

        assert_int_equal(read_full_file(path, 65536, &text, NULL), 0);
        return text;
}

static void put(const char *text, size_t n)
{
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, n), n);
}

static size_t find(const char *text, const char *word)
{
        for (size_t i = 0; text[i]; i++)
                if (strncmp(text + i, word, strlen(word)) == 0)
                        return i;
        fail_msg("no %s in %s", word, text);
        return 0;
}

/* Puts new in the place of the first old. */
static void exchange(const char *old, const char *new)
{
        _cleanup_(freep) char *text = content(), *changed = NULL;
        size_t at = find(text, old);

        changed = string_printf("%.*s%s%s", (int)at, text, new, text + at + strlen(old));
        put(changed, strlen(changed));
}

/* --- what can be wrong --- */

static void make_readable(void)
{
        assert_int_equal(chmod(path, 0644), 0);
}

static void make_writable(void)
{
        assert_int_equal(chmod(path, 0620), 0);
}

static void make_foreign(void)
{
        assert_int_equal(chown(path, 65534, 65534), 0);
}

static void make_link(void)
{
        assert_int_equal(rename(path, other), 0);
        assert_int_equal(symlink(other, path), 0);
}

static void make_dangling(void)
{
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("/nonexistent", path), 0);
}

static void make_second_name(void)
{
        assert_int_equal(link(path, other), 0);
}

static void make_fifo(void)
{
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_device(void)
{
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mknod(path, S_IFCHR | 0600, makedev(1, 5)), 0);
}

static void make_folder(void)
{
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkdir(path, 0700), 0);
}

static void make_empty(void)
{
        put("", 0);
}

/* Cut in its plan. */
static void make_short(void)
{
        _cleanup_(freep) char *text = content();

        put(text, find(text, "\nend"));
}

static void make_long(void)
{
        assert_int_equal(truncate(path, 65 * 1024 * 1024), 0);
}

static void make_nul(void)
{
        _cleanup_(freep) char *text = content();
        size_t n = strlen(text);

        text[n - 2] = '\0';
        put(text, n);
}

static void make_newer(void)
{
        exchange("pmemremoved-ledger 1", "pmemremoved-ledger 2");
}

static void make_older(void)
{
        exchange("pmemremoved-ledger 1", "pmemremoved-ledger 0");
}

static void make_other_id(void)
{
        exchange("id=1", "id=2");
}

static void make_unknown_step(void)
{
        exchange("\nend", "\nstep x op=explode rung=0\nend");
}

static void make_nameless_step(void)
{
        exchange("\nend", "\nstep x rung=0\nend");
}

static void make_no_id(void)
{
        exchange(" id=1", "");
}

static void make_other_plan(void)
{
        exchange("\ntarget namespace0.0", "\ntarget namespace0.1");
}

static void make_garbage_after(void)
{
        _cleanup_(freep) char *text = content(), *more = string_printf("%s\x01\xff\n", text);

        put(more, strlen(more));
}

static void make_garbage(void)
{
        char noise[4096];

        for (size_t i = 0; i < sizeof(noise); i++)
                noise[i] = (char)(i * 7919 >> 3);
        put(noise, sizeof(noise));
}

static const struct {
        const char *what;
        void (*make)(void);
        int err;
} wrongs[] = {
        { "readable by others", make_readable, -EPERM },
        { "writable by its group", make_writable, -EPERM },
        { "another user's", make_foreign, -EPERM },
        { "a symbolic link", make_link, -ELOOP },
        { "a link to nowhere", make_dangling, -ELOOP },
        { "two names", make_second_name, -EMLINK },
        { "a FIFO", make_fifo, -EBADFD },
        { "a device", make_device, -EBADFD },
        { "a folder", make_folder, -EISDIR },
        { "empty", make_empty, -EBADMSG },
        { "cut", make_short, -EBADMSG },
        { "too long", make_long, -EFBIG },
        { "with a NUL", make_nul, -EBADMSG },
        { "newer", make_newer, -EPROTONOSUPPORT },
        { "older", make_older, -EPROTONOSUPPORT },
        { "another's id", make_other_id, -ESTALE },
        { "a step nobody knows", make_unknown_step, -EPROTONOSUPPORT },
        { "a step without a name", make_nameless_step, -EBADMSG },
        { "without an id", make_no_id, -EBADMSG },
        { "another plan", make_other_plan, -EBADMSG },
        { "garbage at its end", make_garbage_after, -EBADMSG },
        { "garbage", make_garbage, -EBADMSG },
};

static int forget(const char *p, const struct stat *st, int type, struct FTW *where)
{
        return where->level == 0 ? 0 : remove(p);
}

static void clear(void)
{
        assert_int_equal(nftw(dir, forget, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void first_ledger(void)
{
        int r;

        clear();
        ledger_free(create(&r));
        assert_int_equal(r, 0);
        assert_int_equal(access(path, F_OK), 0);
}

/* As the daemon does at its start. */
static void distrust(int err)
{
        Manager m = { .ledger_dir = dir };
        Failure f = { 0 };

        assert_int_equal(manager_check_distrusted(&m, &f), 0);
        assert_int_equal(manager_distrust(&m, 1, err), 0);
        assert_true(manager_check_distrusted(&m, &f) < 0);
        assert_int_equal(f.kind, FAILURE_IN_PROGRESS);
        assert_string_equal(f.node, path);
        assert_int_equal(remove(path), 0);
        f = (Failure){ 0 };
        assert_int_equal(manager_check_distrusted(&m, &f), 0);
        free(m.distrusted);
}

static void test_wrong_ledgers(void **state)
{
        for (size_t i = 0; i < ELEMENTSOF(wrongs); i++) {
                Ledger *l = NULL;
                struct stat before, after;
                int r;

                first_ledger();
                wrongs[i].make();
                assert_int_equal(lstat(path, &before), 0);
                r = ledger_load_id(dir, 1, policy_find_step, &l);
                if (r != wrongs[i].err)
                        fail_msg("%s: %d", wrongs[i].what, r);
                assert_null(l);
                assert_true(recover_all(dir, 0) < 0);
                assert_int_equal(lstat(path, &after), 0);
                assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size &&
                            before.st_mode == after.st_mode);
                distrust(r);
        }
}

/* One that is refused keeps nobody from recovering the others. */
static void test_the_others_are_recovered(void **state)
{
        _cleanup_(ledger_freep) Ledger *again = NULL;
        Ledger *l;
        int r;

        first_ledger();
        make_fifo();
        l = create(&r);
        assert_int_equal(r, 0);
        assert_int_equal(l->id, 2);
        ledger_free(l);
        assert_true(recover_all(dir, 0) < 0);
        assert_int_equal(ledger_load_id(dir, 2, policy_find_step, &again), 0);
        assert_true(ledger_finished(again, NULL));
        assert_int_equal(unlink(path), 0);
        assert_int_equal(recover_all(dir, 0), 0);
}

static void test_names(void **state)
{
        static const char *const odd[] = { "01.ledger", "+1.ledger", " 1.ledger", "1.ledger.bak",
                "0x1.ledger", "-1.ledger", ".ledger", "9223372036854775807.ledger",
                "18446744073709551615.ledger", "18446744073709551616.ledger", "1 .ledger",
                "99999999999999999999999999999999.ledger" };
        _cleanup_(freep) uint64_t *ids = NULL;
        size_t n;

        first_ledger();
        for (size_t i = 0; i < ELEMENTSOF(odd); i++) {
                _cleanup_(freep) char *p = string_printf("%s/%s", dir, odd[i]);

                assert_int_equal(mkfifo(p, 0600), 0);
        }
        assert_int_equal(ledger_list(dir, &ids, &n), 0);
        assert_int_equal(n, 1);
        assert_int_equal(ids[0], 1);
}

/* --- where ids come from --- */

static void write_last(const char *text)
{
        _cleanup_(closep) int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static uint64_t next(int *ret)
{
        Ledger *l = create(ret);
        uint64_t id = l ? l->id : 0;

        ledger_free(l);
        return id;
}

static void test_last_id(void **state)
{
        static const struct {
                const char *text;
                uint64_t id;
                int err;
        } rows[] = {
                { "", 2, 0 },
                { "1\n", 2, 0 },
                { "0\n", 2, 0 }, /* lower than what lies there */
                { "41", 42, 0 },
                { "41\ngarbage", 42, 0 },
                { "-1\n", 0, -EBADMSG },
                { "garbage\n", 0, -EBADMSG },
                { "9223372036854775806\n", 0, -EOVERFLOW }, /* nobody would find that one */
                { "18446744073709551615\n", 0, -EBADMSG },
                { "99999999999999999999999999999999999\n", 0, -EBADMSG },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                first_ledger();
                write_last(rows[i].text);
                assert_int_equal(next(&r), rows[i].id);
                assert_int_equal(r, rows[i].err);
        }
}

static void test_foreign_last_id(void **state)
{
        int fd, r;

        first_ledger();
        assert_int_equal(unlink(other), 0);
        assert_int_equal(mkfifo(other, 0600), 0);
        (void)next(&r);
        assert_int_equal(r, -EBADFD);
        assert_int_equal(unlink(other), 0);
        assert_int_equal(symlink("/dev/null", other), 0);
        (void)next(&r);
        assert_int_equal(r, -ELOOP);
        assert_int_equal(unlink(other), 0);
        write_last("7\n");
        assert_int_equal(chmod(other, 0666), 0);
        (void)next(&r);
        assert_int_equal(r, -EPERM);
        assert_int_equal(chmod(other, 0600), 0);
        fd = open(other, O_RDWR | O_CLOEXEC);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        (void)next(&r);
        assert_int_equal(r, -EWOULDBLOCK);
        (void)close(fd);
        assert_int_equal(next(&r), 8);
}

/* --- the folder --- */

static void test_folder(void **state)
{
        char link_name[] = "/tmp/pmemremoved-ledger-link";
        Ledger *l;
        int r;

        first_ledger();
        assert_int_equal(chmod(dir, 0770), 0);
        l = create(&r);
        assert_null(l);
        assert_int_equal(r, -EPERM);
        assert_int_equal(recover_all(dir, 0), -EPERM);
        assert_int_equal(chmod(dir, 0700), 0);
        assert_int_equal(chown(dir, 65534, 65534), 0);
        assert_int_equal(recover_all(dir, 0), -EPERM);
        assert_int_equal(chown(dir, 0, 0), 0);
        (void)unlink(link_name);
        assert_int_equal(symlink(dir, link_name), 0);
        assert_true(recover_all(link_name, 0) < 0);
        assert_int_equal(unlink(link_name), 0);
        assert_int_equal(recover_all(dir, 0), 0);
        assert_int_equal(recover_all("/nonexistent", 0), 0);
}

static void test_causes(void **state)
{
        for (size_t i = 0; i < ELEMENTSOF(wrongs); i++)
                assert_string_not_equal(own_file_cause(wrongs[i].err), strerror(-wrongs[i].err));
        assert_string_equal(own_file_cause(-EIO), strerror(EIO));
}

static int setup(void **state)
{
        if (!mkdtemp(dir))
                return -1;
        (void)snprintf(path, sizeof(path), "%s/1.ledger", dir);
        (void)snprintf(other, sizeof(other), "%s/last-id", dir);
        return log_set_target("null");
}

static int setup_wrong(void **state)
{
        (void)alarm(HANG_SEC);
        (void)snprintf(other, sizeof(other), "%s/other", dir);
        return 0;
}

static int setup_last_id(void **state)
{
        (void)snprintf(other, sizeof(other), "%s/last-id", dir);
        return 0;
}

static int teardown(void **state)
{
        clear();
        return rmdir(dir);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_wrong_ledgers, setup_wrong),
                cmocka_unit_test(test_the_others_are_recovered),
                cmocka_unit_test(test_names),
                cmocka_unit_test_setup(test_last_id, setup_last_id),
                cmocka_unit_test(test_foreign_last_id),
                cmocka_unit_test(test_folder),
                cmocka_unit_test(test_causes),
        };

        if (geteuid() != 0)
                return 77;
        return cmocka_run_group_tests_name("ledger", tests, setup, teardown);
}
