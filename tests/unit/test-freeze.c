/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is thawed by the way back of the freeze, and what a second try of it finds: engine, ledger,
 * recovery, guardian and step are the real ones; FIFREEZE and FITHAW are counted. The filesystem
 * is a tmpfs over /run, in a mount namespace of this program. */

#include <linux/fuse.h>

#include "fixture-run.h"
#include "fixture.h"
#include "sys/freeze.h"
#include "sys/guardian.h"

#define WORK "/run/pmemremoved"
#define DEEP "/run/deep"
#define STRANGE "/run/strange"
/* Each wait of the step has its own limit, far below. */
#define LIFE_SEC 60

/* Outlives every process. */
typedef struct World {
        int no_guardian; /* the errno that keeps it from starting */
        bool dies_before;
        bool dies_inside;
        int freezer_dies; /* so many of the next ones */
        int freezes;
        int thaws; /* by the worker; a guardian may come to it first */
        pid_t worker;
} World;

static World *world;
static bool have_run;

int __wrap_freeze_fs(int fd);
int __wrap_freeze_fs(int fd)
{
        world->freezes++;
        if (world->dies_inside)
                (void)kill(world->worker, SIGKILL);
        if (world->freezer_dies-- > 0)
                (void)raise(SIGKILL);
        return 0;
}

int __wrap_thaw_fs(int fd);
int __wrap_thaw_fs(int fd)
{
        if (getpid() == world->worker)
                world->thaws++;
        return 0;
}

int __real_guardian_start(Guardian *g, int fs_fd, uint64_t deadline_usec, FrostNote *note);
int __wrap_guardian_start(Guardian *g, int fs_fd, uint64_t deadline_usec, FrostNote *note);
int __wrap_guardian_start(Guardian *g, int fs_fd, uint64_t deadline_usec, FrostNote *note)
{
        if (world->dies_before)
                (void)raise(SIGKILL);
        return world->no_guardian > 0 ? -world->no_guardian
                                      : __real_guardian_start(g, fs_fd, deadline_usec, note);
}

static int fake_commit(const Step *s, Run *run, Failure *f)
{
        return run_note(run, "committed", NULL, NULL);
}

static const StepOps ops_commit = { "commit", "committing", NULL, fake_commit, NULL };

/* Takes the place of the pipeline's registry. */
const StepOps *policy_find_step(const char *name)
{
        static const StepOps *const all[] = { &step_freeze, &ops_commit };

        return find_among(all, ELEMENTSOF(all), name);
}

/* --- one removal --- */

static void add_user(Plan *p, pid_t pid)
{
        char text[16];
        Record *r;

        (void)snprintf(text, sizeof(text), "%d", pid);
        r = record_new("process", text);
        assert_int_equal(record_set(r, "uses", "dax"), 0);
        assert_int_equal(plan_add_process(p, r), 0);
}

/* user: who has files of it mapped, 0: nobody */
static Ledger *new_ledger_of(const char *root, pid_t user, bool committed)
{
        Plan *p = start_plan();
        char dev[DEVNUM_MAX];
        struct stat st;
        Ledger *l;

        assert_int_equal(stat(root, &st), 0);
        if (committed)
                add_step(p, "commit", 0, "node", NULL);
        if (user > 0)
                add_user(p, user);
        /* A disk that is always there, or nothing would be wanted. */
        add_step(p, "freeze", 0, "fake0", "dev", format_devnum(dev, st.st_dev), "disk", "fake0",
                "wait", "3000000", "thaw-after", "60000000", NULL);
        l = create_ledger(WORK, NULL, p);
        l->fd = safe_close(l->fd);
        *world = (World){ 0 };
        return l;
}

static Ledger *new_ledger(bool committed)
{
        return new_ledger_of("/run", 0, committed);
}

static void be_worker(void)
{
        world->worker = getpid();
        (void)alarm(LIFE_SEC);
}

/* 0 when it was done, 1 when it failed; -1: it died, or did not come back. */
static int life(const Ledger *l, bool recovery)
{
        return live_once(l, recovery, be_worker);
}

static bool noted(const Ledger *l, const char *verb)
{
        _cleanup_(ledger_freep) Ledger *now = reload(l);

        return ledger_last(now, verb);
}

/* --- */

/* It may be somebody else's: the kernel does not ask who froze. */
static void test_nothing_begun_nothing_thawed(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;

        if (!have_run)
                skip();
        l = new_ledger(false);
        world->no_guardian = EAGAIN;
        (void)life(l, false);
        assert_true(noted(l, "fail"));
        assert_int_equal(world->freezes, 0);
        assert_int_equal(world->thaws, 0);
}

static void test_dead_before_it_began(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;

        if (!have_run)
                skip();
        l = new_ledger(false);
        world->dies_before = true;
        assert_int_equal(life(l, false), -1);
        assert_false(noted(l, "freezing"));
        assert_int_equal(life(l, true), 0);
        assert_int_equal(world->thaws, 0);
}

static void test_dead_inside(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;

        if (!have_run)
                skip();
        l = new_ledger(false);
        world->dies_inside = true;
        assert_int_equal(life(l, false), -1);
        assert_true(noted(l, "freezing"));
        assert_int_equal(life(l, true), 0);
        assert_int_equal(world->thaws, 1);
}

/* The lock that says whose turn it is was taken by the first try. */
static void test_second_try(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;

        if (!have_run)
                skip();
        l = new_ledger(true);
        world->freezer_dies = 1;
        assert_int_equal(life(l, false), 0);
        assert_int_equal(world->freezes, 2);
        assert_true(noted(l, "frozen"));
        assert_false(noted(l, "fail"));
}

/* --- filesystems whose server does not answer --- */

static bool have_fuse(void)
{
        int fd = mount_fuse(WORK, "40000");

        if (fd < 0)
                return false;
        (void)close(fd);
        return umount2(WORK, MNT_DETACH) == 0;
}

typedef struct FuseReply {
        struct fuse_out_header head;
        union {
                struct fuse_init_out init;
                struct fuse_open_out open;
        } body;
} FuseReply;

static size_t fill_reply(const struct fuse_in_header *in, FuseReply *out)
{
        *out = (FuseReply){ .head.unique = in->unique };
        if (in->opcode == FUSE_INIT) {
                out->body.init = (struct fuse_init_out){ .major = FUSE_KERNEL_VERSION,
                        .minor = FUSE_KERNEL_MINOR_VERSION,
                        .max_write = 4096 };
                return sizeof(out->head) + sizeof(out->body.init);
        }
        if (in->opcode == FUSE_OPEN)
                return sizeof(out->head) + sizeof(out->body.open);
        out->head.error = -ENOSYS;
        return sizeof(out->head);
}

/* Whoever asks what kind of file it is waits, and cannot be killed, as long as this lives. */
static _Noreturn void serve_all_but_attributes(int fd)
{
        char in[65536];

        (void)alarm(LIFE_SEC + 10);
        while (read(fd, in, sizeof(in)) > 0) {
                const struct fuse_in_header *head = (const void *)in;
                FuseReply out;
                size_t size;

                if (head->opcode == FUSE_GETATTR)
                        continue;
                size = fill_reply(head, &out);
                out.head.len = (uint32_t)size;
                if (write(fd, &out, size) < 0 && errno != ENOENT)
                        break;
        }
        _exit(0);
}

static int hide_behind_fuse(void *arg)
{
        if (unshare(CLONE_NEWNS) < 0)
                return -errno;
        return MIN_OF(mount_fuse(DEEP, "40000"), 0);
}

static int map_strange_file(void *arg)
{
        int fd = mount_fuse(STRANGE, "100600"), file;
        pid_t server;

        if (fd < 0)
                return fd;
        server = fork();
        if (server == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                serve_all_but_attributes(fd);
        }
        (void)close(fd);
        file = open(STRANGE, O_RDONLY | O_CLOEXEC);
        if (server < 0 || file < 0 ||
                mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0) == MAP_FAILED)
                return -errno;
        return 0;
}

/* The only mount left is in the namespace of somebody, a container, in which a folder above it
 * answers nothing. */
static void test_hidden_behind_who_does_not_answer(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;
        Holder other;

        if (!have_run || !have_fuse())
                skip();
        assert_int_equal(mkdir(DEEP, 0700), 0);
        assert_int_equal(mkdir(DEEP "/fs", 0700), 0);
        assert_int_equal(mount("none", DEEP "/fs", "tmpfs", 0, NULL), 0);
        l = new_ledger_of(DEEP "/fs", 0, false);
        other = holder_start(hide_behind_fuse, NULL);
        assert_int_equal(umount(DEEP "/fs"), 0);
        assert_int_equal(life(l, false), 1);
        assert_int_equal(world->freezes, 0);
        holder_stop(&other);
}

/* A user of the memory has a file mapped whose server does not answer. */
static void test_maps_what_does_not_answer(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;
        Holder user;

        if (!have_run || !have_fuse())
                skip();
        write_file(STRANGE, "");
        user = holder_start(map_strange_file, NULL);
        l = new_ledger_of("/run", user.pid, true);
        assert_int_equal(life(l, false), 0);
        assert_true(noted(l, "frozen"));
        holder_stop(&user);
        (void)umount2(STRANGE, MNT_DETACH);
}

static int setup(void **state)
{
        world = share(sizeof(*world));
        have_run = unshare(CLONE_NEWNS) == 0 &&
                   mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                   mount("none", "/run", "tmpfs", 0, NULL) == 0 && mkdir(WORK, 0700) == 0;
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing_begun_nothing_thawed),
                cmocka_unit_test(test_dead_before_it_began),
                cmocka_unit_test(test_dead_inside),
                cmocka_unit_test(test_second_try),
                cmocka_unit_test(test_hidden_behind_who_does_not_answer),
                cmocka_unit_test(test_maps_what_does_not_answer),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
