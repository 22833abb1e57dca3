/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Holders that need more than a look at descriptors: sockets, other network namespaces, overlays,
 * what only a hint can tell, and a scan whose workers fail. */

#include "fixture.h"

#include <limits.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>

#include "sys/proc-fdinfo.h"
#include "sys/proc-hints.h"
#include "sys/proc-internal.h"
#include "sys/proc-pins.h"

#define SCAN_USEC (60 * USEC_PER_SEC)
/* linux/io_uring.h, which not every machine has. */
#define IORING_REGISTER_FILES 2

static bool have_scratch;

static void need_scratch(void)
{
        if (!have_scratch)
                skip();
}

static dev_t dev_of(const char *path)
{
        struct stat st;

        assert_int_equal(stat(path, &st), 0);
        return st.st_dev;
}

/* What the scan says of this process; 0 when it is not named. */
static unsigned uses_of(pid_t pid, dev_t dev, bool text)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        const ProcAsk ask = {
                .devs = &dev,
                .n_devs = 1,
                .deadline_usec = now_usec() + SCAN_USEC,
                .text = text,
        };

        assert_int_equal(proc_ask(&ask, &l), 0);
        for (size_t i = 0; i < l.n; i++)
                if (l.items[i].pid == pid)
                        return l.items[i].uses;
        return 0;
}

static void assert_uses(int (*fn)(void *arg), dev_t dev, unsigned uses)
{
        Holder h = holder_start(fn, NULL);

        assert_int_equal(uses_of(h.pid, dev, false), uses);
        assert_int_equal(uses_of(h.pid, dev, true), uses);
        holder_stop(&h);
}

/* --- sockets --- */

static struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SCRATCH "/socket" };

static int listen_there(void *arg)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void)unlink(address.sun_path);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
                listen(fd, 5) < 0)
                return -errno;
        return 0;
}

static int listen_in_other_network(void *arg)
{
        return unshare(CLONE_NEWNET) < 0 ? -errno : listen_there(NULL);
}

static int connect_there(void *arg)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

/* Only the accepted end is left. */
static int accept_there(void *arg)
{
        int fd, peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void)unlink(address.sun_path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
                listen(fd, 5) < 0 ||
                connect(peer, (struct sockaddr *)&address, sizeof(address)) < 0 ||
                accept(fd, NULL, NULL) < 0)
                return -errno;
        (void)close(fd);
        return 0;
}

/* Where the module is missing, nobody can tell. */
static void need_unix_diag(void)
{
        struct {
                struct nlmsghdr header;
                struct unix_diag_req diag;
        } request = {
                .header = { .nlmsg_len = sizeof(request),
                        .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
                .diag = { .sdiag_family = AF_UNIX, .udiag_states = ~0U },
        };
        _cleanup_(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        char buf[32768] __attribute__((aligned(__alignof__(struct nlmsghdr))));

        if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0 ||
                recv(fd, buf, sizeof(buf), 0) < (ssize_t)sizeof(struct nlmsghdr) ||
                ((struct nlmsghdr *)(void *)buf)->nlmsg_type == NLMSG_ERROR)
                skip();
}

static void test_sockets(void **state)
{
        Holder server, client;
        dev_t dev;

        need_scratch();
        need_unix_diag();
        dev = dev_of(SCRATCH);
        assert_uses(listen_there, dev, PROC_USE_SOCKET);
        assert_uses(accept_there, dev, PROC_USE_SOCKET);
        /* The other end holds nothing. */
        server = holder_start(listen_there, NULL);
        client = holder_start(connect_there, NULL);
        assert_int_equal(uses_of(server.pid, dev, false), PROC_USE_SOCKET);
        assert_int_equal(uses_of(client.pid, dev, false), 0);
        holder_stop(&client);
        holder_stop(&server);
}

static void test_sockets_elsewhere(void **state)
{
        need_scratch();
        need_unix_diag();
        if (geteuid() != 0)
                skip();
        assert_uses(listen_in_other_network, dev_of(SCRATCH), PROC_USE_SOCKET);
}

/* --- overlays --- */

/* Layers on two filesystems: then files have a device number that mountinfo does not show. */
static int make_overlay(void)
{
        static const char *const folders[] = { "low", "up", "up/u", "up/w", "over" };
        char path[64];

        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                (void)snprintf(path, sizeof(path), SCRATCH "/%s", folders[i]);
                if (i == 2 && mount("up", SCRATCH "/up", "tmpfs", 0, NULL) < 0)
                        return -errno;
                if (mkdir(path, 0700) < 0)
                        return -errno;
        }
        write_file(SCRATCH "/low/below", "text");
        return mount("over", SCRATCH "/over", "overlay", 0,
                       "lowerdir=" SCRATCH "/low,upperdir=" SCRATCH "/up/u,workdir=" SCRATCH
                       "/up/w,xino=off") < 0
                       ? -errno
                       : 0;
}

static int open_above(void *arg)
{
        return open(SCRATCH "/over/new", O_RDWR | O_CREAT | O_CLOEXEC, 0600) < 0 ? -errno : 0;
}

static int open_below(void *arg)
{
        return open(SCRATCH "/over/below", O_RDONLY | O_CLOEXEC) < 0 ? -errno : 0;
}

static int cwd_above(void *arg)
{
        return chdir(SCRATCH "/over") < 0 ? -errno : 0;
}

static int map_above(void *arg)
{
        int fd = open(SCRATCH "/over/mapped", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        void *p;

        if (fd < 0 || ftruncate(fd, 4096) < 0)
                return -errno;
        p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
        (void)close(fd);
        return p == MAP_FAILED ? -errno : 0;
}

static void test_overlay(void **state)
{
        dev_t over;
        Holder h;

        need_scratch();
        if (make_overlay() < 0)
                skip();
        over = dev_of(SCRATCH "/over");
        assert_uses(open_above, over, PROC_USE_FD);
        assert_uses(open_below, over, PROC_USE_FD);
        assert_uses(cwd_above, over, PROC_USE_CWD);
        /* Older kernels show the layer (fs/proc/task_mmu.c, show_map_vma). */
        h = holder_start(map_above, NULL);
        assert_true((uses_of(h.pid, over, false) | uses_of(h.pid, dev_of(SCRATCH "/up"), false)) &
                    (PROC_USE_MAP | PROC_USE_DAX));
        holder_stop(&h);
        assert_int_equal(umount2(SCRATCH "/over", 0), 0);
}

/* --- hints --- */

static bool is_hinted(pid_t pid, const char *what)
{
        _cleanup_(proc_hint_list_done) ProcHintList l = { 0 };
        dev_t dev = dev_of(SCRATCH);

        assert_int_equal(proc_find_hints(&dev, 1, now_usec() + SCAN_USEC, &l), 0);
        for (size_t i = 0; i < l.n; i++)
                if (l.items[i].pid == pid && streq(l.items[i].what, what))
                        return true;
        return false;
}

static int send_away(void *arg)
{
        int fd = open(SCRATCH "/sent", O_RDWR | O_CREAT | O_CLOEXEC, 0600), pair[2];
        char control[CMSG_SPACE(sizeof(int))] = { 0 }, c = 0;
        struct iovec iov = { .iov_base = &c, .iov_len = 1 };
        struct msghdr m = { .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof(control) };
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);

        if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(h), &fd, sizeof(fd));
        if (sendmsg(pair[0], &m, 0) < 0)
                return -errno;
        (void)close(fd);
        return 0;
}

static void test_flying(void **state)
{
        Holder h;

        need_scratch();
        h = holder_start(send_away, NULL);
        assert_int_equal(uses_of(h.pid, dev_of(SCRATCH), false), 0);
        assert_true(is_hinted(h.pid, "descriptors on the way to"));
        holder_stop(&h);
        h = holder_start(listen_there, NULL);
        assert_false(is_hinted(h.pid, "descriptors on the way to"));
        holder_stop(&h);
}

static int register_file(const char *path)
{
        uint32_t params[30] = { 0 }; /* struct io_uring_params */
        int ring = (int)syscall(SYS_io_uring_setup, 4, params);
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        if (ring < 0 || fd < 0 ||
                syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &fd, 1) < 0)
                return -errno;
        (void)close(fd);
        return ring;
}

static int register_here(void *arg)
{
        return MIN_OF(register_file(SCRATCH "/registered"), 0);
}

static int register_elsewhere(void *arg)
{
        return MIN_OF(register_file("/dev/shm/registered"), 0);
}

/* Older kernels list a file by its last name only, and then nobody can be ruled out. */
static bool ring_tells_paths(void)
{
        _cleanup_(closep) int ring = register_file("/dev/shm/registered");
        _cleanup_(freep) char *text = NULL;
        char path[48];

        (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ring);
        assert_true(read_full_file(path, 65536, &text, NULL) >= 0);
        return strstr(text, "/dev/shm/registered");
}

static void test_uring(void **state)
{
        uint32_t params[30] = { 0 };
        int ring = (int)syscall(SYS_io_uring_setup, 4, params);
        Holder h;

        need_scratch();
        if (ring < 0 || mount("shm", "/dev/shm", "tmpfs", 0, NULL) < 0)
                skip();
        (void)close(ring);
        h = holder_start(register_here, NULL);
        assert_int_equal(uses_of(h.pid, dev_of(SCRATCH), false), 0);
        assert_true(is_hinted(h.pid, "io_uring files of"));
        holder_stop(&h);
        if (!ring_tells_paths())
                return;
        h = holder_start(register_elsewhere, NULL);
        assert_false(is_hinted(h.pid, "io_uring files of"));
        holder_stop(&h);
}

static int watch(const char *path)
{
        int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);

        if (fd < 0 ||
                fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, AT_FDCWD, path) < 0)
                return -errno;
        return fd;
}

static int watch_here(void *arg)
{
        return MIN_OF(watch(SCRATCH), 0);
}

static int watch_elsewhere(void *arg)
{
        return MIN_OF(watch("/dev/shm"), 0);
}

static void test_fanotify(void **state)
{
        Holder h;
        int fd;

        need_scratch();
        fd = watch(SCRATCH);
        if (fd < 0)
                skip();
        (void)close(fd);
        h = holder_start(watch_here, NULL);
        assert_true(is_hinted(h.pid, "unread fanotify events of"));
        holder_stop(&h);
        h = holder_start(watch_elsewhere, NULL);
        assert_false(is_hinted(h.pid, "unread fanotify events of"));
        holder_stop(&h);
}

static void test_fdinfo(void **state)
{
        const char *status = "Name:\tVmPin:\nVmLck:\t       8 kB\nVmPin:\t       0 kB\n";
        const char *fanotify = "pos:\t0\nfanotify flags:0 event-flags:8000\n"
                               "fanotify mnt_id:1d mflags:0 mask:20\n"
                               "fanotify sdev:10300001 mflags:0 mask:20 ignored_mask:0\n";
        char ring[] = "UserFiles:\t3\n    0: /mnt/a b\n    1: <none>\n    2: name\nUserBufs:\t2\n"
                      "    0: ";
        char *rest = ring;

        assert_true(fdinfo_number(status, "VmLck:") == 8);
        assert_true(fdinfo_number(status, "VmPin:") == 0);
        assert_true(fdinfo_number(status, "VmXxx:") == 0);
        assert_true(fdinfo_number(ring, "UserFiles:") == 3);
        assert_true(fdinfo_number(ring, "UserBufs:") == 2);
        assert_true(fdinfo_number("", "UserBufs:") == 0);
        assert_true(fdinfo_fanotify_has(fanotify, makedev(259, 1)));
        assert_false(fdinfo_fanotify_has(fanotify, makedev(259, 2)));
        assert_false(fdinfo_fanotify_has("inotify sdev:10300001\n", makedev(259, 1)));
        assert_string_equal(fdinfo_uring_file(&rest), "/mnt/a b");
        assert_string_equal(fdinfo_uring_file(&rest), "name");
        assert_string_equal(fdinfo_uring_file(&rest), "");
        assert_null(fdinfo_uring_file(&rest));
}

/* --- pins --- */

static int lock_memory(void *arg)
{
        void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        /* A sanitizer makes nothing of mlock(2). */
        return p == MAP_FAILED || syscall(SYS_mlock, p, 65536UL) < 0 ? -errno : 0;
}

static int open_vfio(void *arg)
{
        return mkdir("/dev/vfio", 0700) < 0 ||
                               open("/dev/vfio/vfio", O_RDWR | O_CREAT | O_CLOEXEC, 0600) < 0
                       ? -errno
                       : 0;
}

static int hold_nothing(void *arg)
{
        return 0;
}

static void assert_pins(int (*fn)(void *arg), const char *expected)
{
        Holder h = holder_start(fn, NULL);
        char pins[PROC_PINS_MAX];
        pid_t pid = h.pid;

        assert_int_equal(proc_pins(pid, pins), 0);
        assert_string_equal(pins, expected);
        holder_stop(&h);
        assert_int_equal(proc_pins(pid, pins), -ESRCH);
}

static void test_pins(void **state)
{
        need_scratch();
        assert_pins(hold_nothing, "");
        assert_pins(lock_memory, "VmLck");
        if (mount("dev", "/dev", "tmpfs", 0, NULL) < 0)
                skip();
        assert_pins(open_vfio, "vfio");
        assert_int_equal(umount2("/dev", MNT_DETACH), 0);
}

/* --- workers --- */

static int emit_pid(ProcPool *p, int proc_fd, pid_t pid, void *arg)
{
        return proc_pool_emit(p, &pid);
}

static int fail_at(ProcPool *p, int proc_fd, pid_t pid, void *arg)
{
        return pid == *(pid_t *)arg ? -EXDEV : 0;
}

static int die_at(ProcPool *p, int proc_fd, pid_t pid, void *arg)
{
        return pid == *(pid_t *)arg ? raise(SIGKILL) : 0;
}

static int sleep_at(ProcPool *p, int proc_fd, pid_t pid, void *arg)
{
        if (pid == *(pid_t *)arg)
                (void)pause();
        return 0;
}

/* A busy machine takes a moment to bury those that were killed. */
static void assert_no_child(void)
{
        const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
        uint64_t deadline = now_usec() + SCAN_USEC;

        while (waitpid(-1, NULL, WNOHANG) >= 0) {
                assert_true(now_usec() < deadline);
                (void)nanosleep(&pause, NULL);
        }
}

/* Every process once, however many look. */
static void test_each_process_once(void **state)
{
        void *records;
        size_t n;

        for (unsigned workers = 1; workers <= PROC_POOL_WORKERS_MAX; workers++) {
                ProcPool p = { .fn = emit_pid,
                        .record_size = sizeof(pid_t),
                        .workers = workers,
                        .deadline_usec = now_usec() + SCAN_USEC };
                _cleanup_(freep) pid_t *pids = NULL;
                unsigned own = 0;

                assert_int_equal(proc_pool_run(&p, &records, &n), 0);
                pids = records;
                assert_true(n >= 2);
                for (size_t i = 0; i < n; i++) {
                        own += pids[i] == getpid();
                        for (size_t j = 0; j < i; j++)
                                assert_true(pids[i] != pids[j]);
                }
                assert_int_equal(own, 1);
        }
        assert_no_child();
}

/* What one worker could not look at is missing, so there is no list at all. */
static void test_failed_workers(void **state)
{
        pid_t self = getpid();
        ProcPool p = { .arg = &self,
                .record_size = sizeof(pid_t),
                .workers = 2,
                .deadline_usec = now_usec() + SCAN_USEC };
        void *records = NULL;
        size_t n;

        p.fn = fail_at;
        assert_int_equal(proc_pool_run(&p, &records, &n), -EXDEV);
        p.fn = die_at;
        assert_int_equal(proc_pool_run(&p, &records, &n), -EOWNERDEAD);
        p.fn = sleep_at;
        p.deadline_usec = now_usec() + 1200 * USEC_PER_MSEC;
        assert_int_equal(proc_pool_run(&p, &records, &n), -ETIMEDOUT);
        assert_int_equal(p.stuck, self);
        p.record_size = PIPE_BUF + 1;
        assert_int_equal(proc_pool_run(&p, &records, &n), -EINVAL);
        assert_null(records);
        assert_no_child();
}

/* A worker that sleeps in the kernel must not keep the lock of a ledger or the claim of a disk. */
static int count_descriptors(ProcPool *p, int proc_fd, pid_t pid, void *arg)
{
        int n = 0;

        if (pid != *(pid_t *)arg)
                return 0;
        for (int fd = STDERR_FILENO + 1; fd < 1000; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return proc_pool_emit(p, &n);
}

static void test_descriptors_of_workers(void **state)
{
        _cleanup_(closep) int low = open("/dev/null", O_RDONLY), high = fcntl(low, F_DUPFD, 700);
        pid_t self = getpid();
        ProcPool p = { .fn = count_descriptors,
                .arg = &self,
                .record_size = sizeof(int),
                .workers = 3,
                .deadline_usec = now_usec() + SCAN_USEC };
        void *records;
        size_t n;

        assert_true(low >= 0 && high >= 700);
        assert_int_equal(proc_pool_run(&p, &records, &n), 0);
        assert_int_equal(n, 1);
        assert_int_equal(*(int *)records, 2); /* /proc and the pipe */
        free(records);
}

static int group_setup(void **state)
{
        have_scratch = private_scratch() >= 0;
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sockets),
                cmocka_unit_test(test_sockets_elsewhere),
                cmocka_unit_test(test_overlay),
                cmocka_unit_test(test_flying),
                cmocka_unit_test(test_uring),
                cmocka_unit_test(test_fanotify),
                cmocka_unit_test(test_fdinfo),
                cmocka_unit_test(test_pins),
                cmocka_unit_test(test_each_process_once),
                cmocka_unit_test(test_failed_workers),
                cmocka_unit_test(test_descriptors_of_workers),
        };

        return cmocka_run_group_tests(tests, group_setup, NULL);
}
