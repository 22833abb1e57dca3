/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The key of an encrypted device, which is in the kernel's keyring and nowhere else while the
 * device is gone: when it is forgotten, and when it must not be. The device mapper is made up, the
 * keyring is root's own. */

#include <sys/sysmacros.h>

#include "fixture-run.h"
#include "sys/dm.h"
#include "sys/keyring.h"

#define NAME "pmemremoved-test-crypt"
#define KEY_NAME "pmemremoved:" NAME ":0"
#define TABLE_OF(key) "0 2048 crypt aes-xts-plain64 " key " 0 1:1 0"

/* What the kernel would hold: the device is made and removed by children. */
static struct World {
        bool exists;
        bool refuses; /* to make it */
} * world;
int __wrap_dm_read(const char *name, dev_t dev, DmDevice *ret);
int __wrap_dm_remove(const char *name);
int __wrap_dm_create(const DmDevice *d);

int __wrap_dm_read(const char *name, dev_t dev, DmDevice *ret)
{
        if (!world->exists)
                return -ENXIO;
        *ret = (DmDevice){ .dev = makedev(253, 9), .table = strdup(TABLE_OF("00ff")) };
        (void)snprintf(ret->name, sizeof(ret->name), NAME);
        return ret->table ? 0 : -ENOMEM;
}

int __wrap_dm_remove(const char *name)
{
        world->exists = false;
        return 0;
}

int __wrap_dm_create(const DmDevice *d)
{
        if (world->refuses)
                return -EIO;
        world->exists = streq(d->table, "0 2048 crypt aes-xts-plain64 00ff 0 1:2 0");
        return 0;
}

/* What it stands on has been bound again, under another number. */
int __wrap_sysfs_devnum(const char *path, dev_t *ret);
int __wrap_sysfs_devnum(const char *path, dev_t *ret)
{
        *ret = makedev(1, 2);
        return 0;
}

static int fake_fail(const Step *s, Run *run, Failure *f)
{
        return failure_set(f, FAILURE_FAILED, -EIO, "node", "made to fail");
}

static int nothing(const Step *s, Run *run, Failure *f)
{
        return 0;
}

static const StepOps ops_fail = { "fail", "failing", NULL, fake_fail, nothing };

/* Takes the place of the pipeline's registry: policy.o is not linked into this program. */
const StepOps *policy_find_step(const char *name)
{
        static const StepOps *const all[] = { &ops_fail, &step_deactivate };

        return find_among(all, ELEMENTSOF(all), name);
}

static Ledger *new_ledger(bool fails)
{
        Plan *p = start_plan();

        add_step(p, "deactivate", 0, NAME, "dev", "253:9", "devs", "1:1=pmem0", "table",
                TABLE_OF(KEY_NAME), "wait", "60000000", NULL);
        if (fails)
                add_step(p, "fail", 0, "node", NULL);
        return create_ledger(dir, NULL, p);
}

static bool have_key(void)
{
        uint8_t buf[8];

        return keyring_get(KEY_NAME, buf, sizeof(buf)) == 2 && buf[0] == 0 && buf[1] == 0xff;
}

static const char *run_one(bool fails, Failure *f)
{
        _cleanup_(ledger_freep) Ledger *l = new_ledger(fails);
        int r;

        *f = (Failure){ 0 };
        world->exists = true;
        r = run_plan(l, -EBADF, f);
        assert_int_equal(r < 0, f->kind != FAILURE_NONE);
        return result_of(l);
}

static bool have_keyring(void)
{
        return keyring_put(KEY_NAME, "x", 1) == 0 && keyring_forget(KEY_NAME) == 0;
}

static void test_forgotten_when_it_is_removed(void **state)
{
        Failure f;

        if (!have_keyring())
                skip();
        assert_string_equal(run_one(false, &f), "done");
        assert_false(world->exists || have_key());
}

static void test_forgotten_when_it_is_back(void **state)
{
        Failure f;

        if (!have_keyring())
                skip();
        assert_string_equal(run_one(true, &f), "failed");
        assert_true(world->exists);
        assert_false(have_key());
}

/* Without it nobody could read again what is on the device. */
static void test_kept_when_it_is_not_back(void **state)
{
        Failure f;

        if (!have_keyring())
                skip();
        world->refuses = true;
        assert_string_equal(run_one(true, &f), "stuck");
        world->refuses = false;
        assert_true(have_key());
        assert_non_null(strstr(f.sentence, "keyctl"));
        assert_int_equal(keyring_forget(KEY_NAME), 0);
}

static int setup(void **state)
{
        world = share(sizeof(*world));
        return mkdtemp(dir) ? 0 : -1;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forgotten_when_it_is_removed),
                cmocka_unit_test(test_forgotten_when_it_is_back),
                cmocka_unit_test(test_kept_when_it_is_not_back),
        };

        return cmocka_run_group_tests(tests, setup, remove_dir);
}
