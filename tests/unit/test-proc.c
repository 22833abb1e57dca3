/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every kind of holder is planted on a filesystem of the test's own and must be found, with what it
 * does and nothing else. */

#include "fixture.h"

#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "sys/proc-internal.h"
#include "sys/proc.h"

/* XFS_IOC_GOINGDOWN of xfs_fs.h, which not every machine has. */
#define IOC_GOINGDOWN _IOR('X', 125, uint32_t)

#define SCAN_USEC (60 * USEC_PER_SEC)

static bool have_scratch;
static char dir[PATH_MAX];

static void need_scratch(void)
{
        if (!have_scratch)
                skip();
}

static dev_t scratch_dev(void)
{
        struct stat st;

        assert_int_equal(stat(dir, &st), 0);
        return st.st_dev;
}

static const char *in_dir(char buf[static PATH_MAX], const char *name)
{
        assert_true(snprintf(buf, PATH_MAX, "%s/%s", dir, name) < PATH_MAX);
        return buf;
}

static int open_file(const char *name)
{
        char path[PATH_MAX];
        int fd = open(in_dir(path, name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        if (fd >= 0 && ftruncate(fd, 4096) < 0)
                return -errno;
        return fd < 0 ? -errno : fd;
}

static const ProcHolder *find(const ProcList *l, pid_t pid)
{
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].pid == pid)
                        return l->items + i;
        return NULL;
}

/* Without the right to look into map_files a mapping counts as DAX. */
static unsigned dax_is_map(unsigned uses)
{
        return uses & PROC_USE_DAX ? (uses & ~(unsigned)PROC_USE_DAX) | PROC_USE_MAP : uses;
}

static void assert_found(pid_t pid, const ProcAsk *ask, dev_t dev, unsigned uses)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        const ProcHolder *h;
        uint64_t start;

        assert_int_equal(proc_ask(ask, &l), 0);
        h = find(&l, pid);
        assert_non_null(h);
        assert_int_equal(dax_is_map(h->uses), uses);
        assert_true(h->dev == dev);
        assert_false(h->kernel_thread);
        assert_int_equal(proc_start_time(pid, &start), 0);
        assert_true(h->start == start);
        assert_true(h->example[0] == '/');
}

/* By the ioctl where the kernel has it and by the text, by one worker and by several. */
static void assert_holder(pid_t pid, dev_t dev, bool is_node, unsigned uses)
{
        ProcAsk ask = {
                .devs = &dev,
                .n_devs = is_node ? 0 : 1,
                .nodes = &dev,
                .n_nodes = is_node ? 1 : 0,
                .deadline_usec = now_usec() + SCAN_USEC,
        };

        assert_found(pid, &ask, dev, uses);
        ask.text = true;
        ask.workers = 1;
        assert_found(pid, &ask, dev, uses);
        ask.workers = 3;
        assert_found(pid, &ask, dev, uses);
}

static void assert_planted(int (*fn)(void *arg), unsigned uses)
{
        Holder h;

        need_scratch();
        h = holder_start(fn, NULL);
        assert_holder(h.pid, scratch_dev(), false, uses);
        holder_stop(&h);
}

static int hold_fd(void *arg)
{
        return open_file("file") < 0 ? -errno : 0;
}

static int hold_path_fd(void *arg)
{
        return open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) < 0 ? -errno : 0;
}

static int hold_unlinked(void *arg)
{
        char path[PATH_MAX];

        return open_file("unlinked") < 0 || unlink(in_dir(path, "unlinked")) < 0 ? -errno : 0;
}

static int map_file(int flags)
{
        int fd = open_file("mapped");
        void *p;

        if (fd < 0)
                return fd;
        p = mmap(NULL, 4096, PROT_READ, flags, fd, 0);
        (void)close(fd);
        return p == MAP_FAILED ? -errno : 0;
}

static int hold_shared_mapping(void *arg)
{
        return map_file(MAP_SHARED);
}

static int hold_private_mapping(void *arg)
{
        return map_file(MAP_PRIVATE);
}

static int hold_cwd(void *arg)
{
        return chdir(dir) < 0 ? -errno : 0;
}

static int hold_root(void *arg)
{
        return chroot(dir) < 0 ? -errno : 0;
}

static int hold_several(void *arg)
{
        return chdir(dir) < 0 || open_file("several") < 0 ? -errno : map_file(MAP_SHARED);
}

static void test_descriptors(void **state)
{
        assert_planted(hold_fd, PROC_USE_FD);
        assert_planted(hold_path_fd, PROC_USE_FD);
        assert_planted(hold_unlinked, PROC_USE_FD);
}

static void test_mappings(void **state)
{
        assert_planted(hold_shared_mapping, PROC_USE_MAP);
        assert_planted(hold_private_mapping, PROC_USE_MAP);
}

static void test_directories(void **state)
{
        assert_planted(hold_cwd, PROC_USE_CWD);
        assert_planted(hold_root, PROC_USE_ROOT);
        assert_planted(hold_several, PROC_USE_CWD | PROC_USE_FD | PROC_USE_MAP);
}

static int copy_file(const char *from, const char *to)
{
        _cleanup_(closep) int in = open(from, O_RDONLY | O_CLOEXEC);
        _cleanup_(closep) int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
        char buf[65536];
        ssize_t n;

        if (in < 0 || out < 0)
                return -errno;
        while ((n = read(in, buf, sizeof(buf))) > 0)
                if (write(out, buf, (size_t)n) != n)
                        return -EIO;
        return n < 0 ? -errno : 0;
}

/* The pipe is close-on-exec, so its end says that the program runs. */
static void test_exe(void **state)
{
        char path[PATH_MAX], c;
        int p[2];
        pid_t pid;

        need_scratch();
        assert_int_equal(copy_file("/bin/sleep", in_dir(path, "program")), 0);
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)execl(path, "program", "1000", (char *)NULL);
                _exit(127);
        }
        (void)close(p[1]);
        assert_int_equal(read(p[0], &c, 1), 0);
        (void)close(p[0]);
        assert_holder(pid, scratch_dev(), false, PROC_USE_EXE | PROC_USE_MAP);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
}

typedef struct ThreadArg {
        int (*fn)(void *arg);
        int unshare_flags;
        bool leader_exits;
        int result_fd;
} ThreadArg;

static void *thread_main(void *arg)
{
        const ThreadArg *t = arg;
        char c;

        c = (char)(unshare(t->unshare_flags) < 0 ? errno : -t->fn(NULL));
        if (write(t->result_fd, &c, 1) != 1)
                _exit(1);
        for (;;)
                (void)pause();
        return NULL;
}

static int in_thread(void *arg)
{
        static ThreadArg t;
        pthread_t thread;
        int p[2];
        char c;

        t = *(ThreadArg *)arg;
        if (pipe2(p, O_CLOEXEC) < 0)
                return -errno;
        t.result_fd = p[1];
        if (pthread_create(&thread, NULL, thread_main, &t) != 0 || read(p[0], &c, 1) != 1)
                return -EIO;
        return -c;
}

static void assert_thread(int (*fn)(void *arg), int unshare_flags, unsigned uses)
{
        ThreadArg t = { .fn = fn, .unshare_flags = unshare_flags };
        Holder h;

        need_scratch();
        h = holder_start(in_thread, &t);
        assert_holder(h.pid, scratch_dev(), false, uses);
        holder_stop(&h);
}

static void test_threads(void **state)
{
        assert_thread(hold_cwd, CLONE_FS, PROC_USE_CWD);
        assert_thread(hold_fd, CLONE_FILES, PROC_USE_FD);
        assert_thread(hold_fd, 0, PROC_USE_FD);
}

static void *leaderless_main(void *arg)
{
        const int *ready = arg;

        /* The leader is a zombie when the wait for its exit is over. */
        while (proc_state(getpid()) != 'Z')
                (void)sched_yield();
        if (hold_several(NULL) < 0 || write(*ready, "", 1) != 1)
                _exit(1);
        for (;;)
                (void)pause();
        return NULL;
}

static void test_leader_is_gone(void **state)
{
        pthread_t thread;
        int ready[2];
        pid_t pid;
        char c;

        need_scratch();
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (pthread_create(&thread, NULL, leaderless_main, ready + 1) != 0)
                        _exit(1);
                (void)syscall(SYS_exit, 0);
        }
        (void)close(ready[1]);
        assert_int_equal(read(ready[0], &c, 1), 1);
        (void)close(ready[0]);
        assert_holder(pid, scratch_dev(), false, PROC_USE_CWD | PROC_USE_FD | PROC_USE_MAP);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
}

static int hold_node(void *arg)
{
        return open("/dev/full", O_RDONLY | O_CLOEXEC) < 0 ? -errno : 0;
}

static int map_node(void *arg)
{
        int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        void *p = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

        (void)close(fd);
        return p == MAP_FAILED ? -errno : 0;
}

static void test_nodes(void **state)
{
        Holder h;

        h = holder_start(hold_node, NULL);
        assert_holder(h.pid, makedev(1, 7), true, PROC_USE_NODE);
        holder_stop(&h);
        h = holder_start(map_node, NULL);
        assert_holder(h.pid, makedev(1, 5), true, PROC_USE_NODE);
        holder_stop(&h);
}

static void test_only_holders(void **state)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        _cleanup_(closep) int fd = -EBADF;
        dev_t dev;

        need_scratch();
        dev = scratch_dev();
        assert_int_equal(proc_find_holders(&dev, 1, NULL, 0, now_usec() + SCAN_USEC, &l), 0);
        assert_int_equal(l.n, 0);
        fd = open_file("own");
        assert_true(fd >= 0);
        assert_int_equal(proc_find_holders(&dev, 1, NULL, 0, now_usec() + SCAN_USEC, &l), 0);
        assert_int_equal(l.n, 1);
        assert_int_equal(l.items[0].pid, getpid());
}

static void test_holders_are_kept_apart(void **state)
{
        int (*const fns[])(void *) = { hold_fd, hold_cwd, hold_fd };
        const unsigned uses[] = { PROC_USE_FD, PROC_USE_CWD, PROC_USE_FD };
        Holder h[ELEMENTSOF(fns)];

        need_scratch();
        for (size_t i = 0; i < ELEMENTSOF(fns); i++)
                h[i] = holder_start(fns[i], NULL);
        for (size_t i = 0; i < ELEMENTSOF(fns); i++)
                assert_holder(h[i].pid, scratch_dev(), false, uses[i]);
        for (size_t i = 0; i < ELEMENTSOF(fns); i++)
                holder_stop(h + i);
}

static void test_late_is_no_list(void **state)
{
        ProcList l = { 0 };
        dev_t dev = makedev(1, 7);

        assert_int_equal(proc_find_holders(NULL, 0, &dev, 1, now_usec(), &l), -ETIMEDOUT);
        assert_null(l.items);
        assert_int_equal(l.n, 0);
}

/* Every stat on it fails from then on, and its users must be found all the same. */
static void test_shut_down_filesystem(void **state)
{
        char image[PATH_MAX], mounted[PATH_MAX], saved[PATH_MAX], loop[32];
        _cleanup_(closep) int loop_fd = -EBADF, root_fd = -EBADF;
        uint32_t how = 2; /* without flushing the log */
        Holder h;
        dev_t dev;

        need_scratch();
        if (make_image(in_dir(image, "image"), "mkfs.xfs", 320) < 0)
                skip();
        loop_fd = loop_attach(image, loop);
        if (loop_fd < 0 || mkdir(in_dir(mounted, "mounted"), 0700) < 0 ||
                mount(loop, mounted, "xfs", 0, NULL) < 0)
                skip();
        (void)snprintf(saved, sizeof(saved), "%s", dir);
        (void)snprintf(dir, sizeof(dir), "%s", mounted);
        dev = scratch_dev();
        h = holder_start(hold_several, NULL);
        root_fd = open(dir, O_RDONLY | O_CLOEXEC);
        assert_int_equal(ioctl(root_fd, IOC_GOINGDOWN, &how), 0);
        assert_holder(h.pid, dev, false, PROC_USE_CWD | PROC_USE_FD | PROC_USE_MAP);
        holder_stop(&h);
        (void)snprintf(dir, sizeof(dir), "%s", saved);
        root_fd = safe_close(root_fd);
        assert_int_equal(umount2(mounted, 0), 0);
}

static int rename_self(void *arg)
{
        return prctl(PR_SET_NAME, "a) R 1 (b c") < 0 ? -errno : 0;
}

static void test_identity(void **state)
{
        uint64_t start, again;
        char comm[16], tiny[4];
        unsigned n;
        Holder h;

        h = holder_start(rename_self, NULL);
        assert_int_equal(proc_comm(h.pid, comm, sizeof(comm)), 0);
        assert_string_equal(comm, "a) R 1 (b c");
        assert_int_equal(proc_comm(h.pid, tiny, sizeof(tiny)), -ENOBUFS);
        /* D for a moment, when the machine is short of memory. */
        assert_non_null(memchr("SRD", proc_state(h.pid), 3));
        assert_int_equal(proc_start_time(h.pid, &start), 0);
        assert_int_equal(proc_start_time(h.pid, &again), 0);
        assert_true(start == again && start > 0);
        assert_int_equal(proc_count(&n), 0);
        assert_true(n >= 2);
        assert_int_equal(kill(h.pid, SIGKILL), 0);
        assert_int_equal(waitid(P_PID, (id_t)h.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
        assert_int_equal(proc_state(h.pid), 'Z');
        assert_int_equal(waitpid(h.pid, NULL, 0), h.pid);
        assert_int_equal(proc_state(h.pid), -ESRCH);
        assert_int_equal(proc_start_time(h.pid, &start), -ESRCH);
        h.go_fd = safe_close(h.go_fd);
}

static void test_stack(void **state)
{
        char buf[128];

        proc_stack_compact("[<0>] percpu_rwsem_wait+0x1/0x2\n[<0>] freeze_super+0xa0/0x1f0\n", buf,
                sizeof(buf));
        assert_string_equal(buf, "percpu_rwsem_wait < freeze_super");
        proc_stack_compact("[<0>] in_module+0x1/0x2 [xfs]\n", buf, sizeof(buf));
        assert_string_equal(buf, "in_module");
        proc_stack_compact("bare", buf, sizeof(buf));
        assert_string_equal(buf, "bare");
        proc_stack_compact("", buf, sizeof(buf));
        assert_string_equal(buf, "");
        proc_stack_compact("\n\n[<0>] \n", buf, sizeof(buf));
        assert_string_equal(buf, "");
}

/* As long as it gets, it stays a string. */
static void test_stack_in_short_buffer(void **state)
{
        char buf[8];

        proc_stack_compact("[<0>] aaaaaa+0x1\n[<0>] bbbbbb+0x1\n[<0>] c+0x1\n", buf, sizeof(buf));
        assert_int_equal(strlen(buf), 7);
}

static void test_kernel_stack(void **state)
{
        char buf[4096];

        assert_int_equal(proc_kernel_stack(getpid(), buf, sizeof(buf)), 0);
        assert_true(strlen(buf) < sizeof(buf));
}

static void test_stat_parse(void **state)
{
        char good[] = "7 (x) S 1 2 3 4 5 2097152 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21\n";
        char cut[] = "7 (x) S 1 2 3";
        char open_end[] = "7 (x";
        char no_number[] = "7 (x) S 1 2 3 4 5 -6 7 8 9 10 11 12 13 14 15 16 17 18 4711\n";
        ProcStat s;

        assert_int_equal(proc_stat_parse(good, &s), 0);
        assert_string_equal(s.comm, "x");
        assert_int_equal(s.state, 'S');
        assert_true(s.flags == PROC_FLAG_KTHREAD);
        assert_true(s.start == 4711);
        assert_int_equal(proc_stat_parse(cut, &s), -EBADMSG);
        assert_int_equal(proc_stat_parse(open_end, &s), -EBADMSG);
        assert_true(proc_stat_parse(no_number, &s) < 0);
}

static void test_mapping_parse(void **state)
{
        ProcMapping m;

        assert_true(proc_mapping_parse(
                "7f00-7fff r--s 00001000 103:1a 77                     /a b (deleted)", &m));
        assert_true(m.dev == makedev(0x103, 0x1a));
        assert_true(m.inode == 77);
        assert_true(m.start == 0x7f00 && m.end == 0x7fff);
        assert_string_equal(m.path, "/a b (deleted)");
        assert_true(proc_mapping_parse("1-2 rw-p 00000000 00:00 0 ", &m));
        assert_true(m.inode == 0);
        assert_string_equal(m.path, "");
        assert_false(proc_mapping_parse("", &m));
        assert_false(proc_mapping_parse("1-2", &m));
        assert_false(proc_mapping_parse("1-2 rw-p", &m));
        assert_false(proc_mapping_parse("1-2 rw-p 0 0:0 x", &m));
        assert_false(proc_mapping_parse("1-2 rw-p 0 0-0 0", &m));
        assert_false(proc_mapping_parse("-2 rw-p 0 0:0 0", &m));
}

static void test_uses(void **state)
{
        char buf[PROC_USES_MAX];

        assert_string_equal(proc_uses_format(0, buf), "");
        assert_string_equal(proc_uses_format(PROC_USE_DAX | PROC_USE_NODE, buf), "dax,node");
        assert_string_equal(proc_uses_format(0x7f, buf), "dax,map,fd,cwd,root,exe,node");
        for (unsigned i = 0; i <= 0xff; i++)
                assert_int_equal(proc_uses_parse(proc_uses_format(i, buf)), i);
        assert_int_equal(proc_uses_parse("fd,bogus"), 0);
}

static int group_setup(void **state)
{
        have_scratch = private_scratch() >= 0;
        (void)snprintf(dir, sizeof(dir), "%s", SCRATCH);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_descriptors),
                cmocka_unit_test(test_mappings),
                cmocka_unit_test(test_directories),
                cmocka_unit_test(test_exe),
                cmocka_unit_test(test_threads),
                cmocka_unit_test(test_leader_is_gone),
                cmocka_unit_test(test_nodes),
                cmocka_unit_test(test_only_holders),
                cmocka_unit_test(test_holders_are_kept_apart),
                cmocka_unit_test(test_late_is_no_list),
                cmocka_unit_test(test_shut_down_filesystem),
                cmocka_unit_test(test_identity),
                cmocka_unit_test(test_kernel_stack),
                cmocka_unit_test(test_stack),
                cmocka_unit_test(test_stack_in_short_buffer),
                cmocka_unit_test(test_stat_parse),
                cmocka_unit_test(test_mapping_parse),
                cmocka_unit_test(test_uses),
        };

        return cmocka_run_group_tests(tests, group_setup, NULL);
}
