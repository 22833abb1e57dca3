/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of inhibitors: that closing the descriptor lets go, how many there may be, and what a
 * next daemon makes of what the service manager kept for it. This program plays both: it receives
 * what is stored, and hands it back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "manager-inhibitors.h"
#include "util/log.h"
#include "util/text.h"

static char dir[] = "/tmp/pmemremoved-test-XXXXXX";
static int notify_fd = -EBADF;

/* What is handed back has to be on descriptors 3 and 4, which nothing else may get. */
static void keep_place(void)
{
        for (int fd = SD_LISTEN_FDS_START; fd <= SD_LISTEN_FDS_START + 1; fd++)
                if (fcntl(fd, F_GETFD) < 0)
                        (void)dup2(STDERR_FILENO, fd);
}

static Manager *make_manager(void)
{
        Manager *m = calloc(1, sizeof(*m));

        assert_non_null(m);
        keep_place();
        m->lock_fd = -EBADF;
        m->ledger_dir = dir;
        assert_true(sd_event_new(&m->event) >= 0);
        return m;
}

static int take(Manager *m, const char *target, uid_t uid, int *ret_fd, Failure *f)
{
        Inhibitor *i = NULL;
        int r;

        assert_int_equal(inhibitor_new(target, "db", "why", "block", &i, f), 0);
        assert_int_equal(strv_split(target, &i->names), 0);
        i->uid = uid;
        i->pid = 812;
        r = inhibitors_add(m, &i, ret_fd, f);
        assert_int_equal(r == 0, !i);
        inhibitor_free(i);
        return r;
}

static void turn(Manager *m)
{
        while (sd_event_run(m->event, 0) > 0)
                ;
}

static bool has_file(uint64_t id)
{
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/inhibitors/%llu", dir, (unsigned long long)id);
        return access(path, F_OK) == 0;
}

static size_t n_files(void)
{
        _cleanup_(freep) char *path = string_printf("%s/inhibitors", dir);
        _cleanup_(closedirp) DIR *d = opendir(path);
        size_t n = 0;

        for (struct dirent *e; d && (e = readdir(d));)
                n += *e->d_name != '.';
        return n;
}

/* --- the service manager's part --- */

/* The next message; a descriptor that came with it, else -EBADF. */
static int hear(char *text, size_t size)
{
        union {
                struct cmsghdr head;
                char space[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec iov = { .iov_base = text, .iov_len = size - 1 };
        struct msghdr msg = { .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control) };
        ssize_t n = recvmsg(notify_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        int fd = -EBADF;

        text[n > 0 ? n : 0] = '\0';
        for (struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL; c; c = CMSG_NXTHDR(&msg, c))
                if (c->cmsg_type == SCM_RIGHTS)
                        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        return fd;
}

static void hear_nothing(void)
{
        char text[256];

        do
                (void)safe_close(hear(text, sizeof(text)));
        while (*text);
}

static int stored(const char *name)
{
        char text[256], expected[128];
        int fd;

        do
                fd = hear(text, sizeof(text));
        while (*text && fd < 0);
        (void)snprintf(expected, sizeof(expected), "FDSTORE=1\nFDNAME=%s", name);
        assert_string_equal(text, expected);
        assert_true(fd >= 0);
        return fd;
}

/* As the service manager does at the start of a service. */
static void hand_back(int fd, const char *names)
{
        char pid[16];

        assert_int_equal(dup2(fd, SD_LISTEN_FDS_START), SD_LISTEN_FDS_START);
        (void)close(fd);
        (void)snprintf(pid, sizeof(pid), "%d", getpid());
        (void)setenv("LISTEN_PID", pid, 1);
        (void)setenv("LISTEN_FDS", "1", 1);
        (void)setenv("LISTEN_FDNAMES", names, 1);
}

/* --- */

static void test_letting_go(void **state)
{
        Manager *m = make_manager();
        char ns[] = "namespace0.0", text[256];
        char *const names[] = { ns, NULL };
        size_t k = 0;
        int fd, kept;

        assert_int_equal(inhibitors_restore(m), 0);
        assert_int_equal(take(m, "namespace0.0", 0, &fd, NULL), 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(inhibitors_count(m), 1);
        assert_non_null(inhibitors_next(m, INHIBIT_BLOCK, names, &k));
        assert_null(inhibitors_next(m, INHIBIT_BLOCK, names, &k));
        k = 0;
        assert_null(inhibitors_next(m, INHIBIT_DELAY, names, &k));
        assert_true(has_file(inhibitors_at(m, 0)->id));
        kept = stored("inhibitor-1");
        turn(m);
        assert_int_equal(inhibitors_count(m), 1);
        /* What a holder writes into it changes nothing. */
        assert_int_equal(write(fd, "x", 1), 1);
        turn(m);
        assert_int_equal(inhibitors_count(m), 1);
        (void)close(fd);
        turn(m);
        assert_int_equal(inhibitors_count(m), 0);
        assert_int_equal(n_files(), 0);
        assert_int_equal(hear(text, sizeof(text)), -EBADF);
        assert_string_equal(text, "FDSTOREREMOVE=1\nFDNAME=inhibitor-1");
        (void)close(kept);
        (void)manager_free(m);
}

static void test_limits(void **state)
{
        int fds[LIMIT_INHIBITORS];
        Manager *m = make_manager();
        Failure f = { 0 };
        int fd, n = 0;

        assert_int_equal(inhibitors_restore(m), 0);
        while (n < LIMIT_INHIBITORS_USER) {
                assert_int_equal(take(m, "namespace0.0", 1000, &fds[n++], &f), 0);
                hear_nothing();
        }
        assert_true(take(m, "namespace0.0", 1000, &fd, &f) < 0);
        assert_int_equal(f.kind, FAILURE_LIMIT_EXCEEDED);
        assert_non_null(strstr(f.sentence, "user 1000"));
        f = (Failure){ 0 };
        while (n < LIMIT_INHIBITORS) {
                assert_int_equal(take(m, "namespace0.0", 0, &fds[n++], &f), 0);
                hear_nothing();
        }
        assert_true(take(m, "namespace0.0", 0, &fd, &f) < 0);
        assert_int_equal(f.kind, FAILURE_LIMIT_EXCEEDED);
        assert_non_null(strstr(f.sentence, "InhibitorsMax"));
        assert_int_equal(n_files(), LIMIT_INHIBITORS);
        /* One by one: sd_notify() waits while the socket is full. */
        while (n > 0) {
                (void)close(fds[--n]);
                turn(m);
                hear_nothing();
        }
        assert_int_equal(inhibitors_count(m), 0);
        assert_int_equal(take(m, "", 1000, &fd, NULL), 0);
        (void)close(fd);
        turn(m);
        hear_nothing();
        (void)manager_free(m);
}

/* What cannot outlive the daemon must not be promised. */
static void test_store_fails(void **state)
{
        Manager *m = make_manager();
        Failure f = { 0 };
        int fd;

        assert_int_equal(inhibitors_restore(m), 0);
        (void)setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
        assert_true(take(m, "namespace0.0", 0, &fd, &f) < 0);
        assert_int_equal(f.kind, FAILURE_FAILED);
        assert_int_equal(n_files(), 0);
        assert_int_equal(inhibitors_count(m), 0);
        (void)manager_free(m);
}

/* The daemon ends and leaves one lock; returns the holder's end, and the kept one in *ret_kept. */
static int leave_one(int *ret_kept)
{
        Manager *m = make_manager();
        char name[64];
        int fd;

        assert_int_equal(inhibitors_restore(m), 0);
        assert_int_equal(take(m, "namespace0.0", 1000, &fd, NULL), 0);
        (void)snprintf(
                name, sizeof(name), "inhibitor-%llu", (unsigned long long)inhibitors_at(m, 0)->id);
        *ret_kept = stored(name);
        (void)manager_free(m);
        assert_int_equal(n_files(), 1);
        return fd;
}

static void test_next_daemon(void **state)
{
        Manager *m;
        int kept, fd = leave_one(&kept), other;

        m = make_manager();
        hand_back(kept, "inhibitor-1");
        assert_int_equal(inhibitors_restore(m), 0);
        turn(m);
        assert_int_equal(inhibitors_count(m), 1);
        assert_string_equal(inhibitors_at(m, 0)->who, "db");
        assert_int_equal(inhibitors_at(m, 0)->uid, 1000);
        assert_int_equal(inhibitors_at(m, 0)->id, 1);
        assert_int_equal(take(m, "namespace0.0", 0, &other, NULL), 0);
        assert_int_equal(inhibitors_at(m, 1)->id, 2);
        (void)close(other);
        (void)close(fd);
        turn(m);
        assert_int_equal(inhibitors_count(m), 0);
        assert_int_equal(n_files(), 0);
        hear_nothing();
        (void)manager_free(m);
}

static void test_holder_died_meanwhile(void **state)
{
        Manager *m;
        int kept, fd = leave_one(&kept);

        /* The service manager drops the descriptor by itself. */
        (void)close(kept);
        (void)close(fd);
        m = make_manager();
        assert_int_equal(inhibitors_restore(m), 0);
        assert_int_equal(inhibitors_count(m), 0);
        assert_int_equal(n_files(), 0);
        (void)manager_free(m);
}

enum { DROP, CUT, FIFO, OPEN_TO_ALL };

static void spoil(const char *path, int how)
{
        if (how == DROP || how == FIFO)
                assert_int_equal(unlink(path), 0);
        if (how == CUT)
                assert_int_equal(truncate(path, 20), 0);
        if (how == FIFO)
                assert_int_equal(mkfifo(path, 0600), 0);
        if (how == OPEN_TO_ALL)
                assert_int_equal(chmod(path, 0666), 0);
}

static void unreadable(const char *names, int how)
{
        char path[128];
        Manager *m;
        int kept, fd = leave_one(&kept);

        (void)snprintf(path, sizeof(path), "%s/inhibitors/1", dir);
        spoil(path, how);
        m = make_manager();
        hand_back(kept, names);
        assert_int_equal(inhibitors_restore(m), 0);
        assert_int_equal(inhibitors_count(m), 1);
        assert_true(inhibitor_is_general(inhibitors_at(m, 0)));
        assert_int_equal(inhibitors_at(m, 0)->mode, INHIBIT_BLOCK);
        assert_string_equal(inhibitors_at(m, 0)->who, "unknown");
        (void)close(fd);
        turn(m);
        assert_int_equal(inhibitors_count(m), 0);
        assert_int_equal(n_files(), 0);
        hear_nothing();
        (void)manager_free(m);
}

static void test_unreadable(void **state)
{
        unreadable("inhibitor-1", DROP);
        unreadable("inhibitor-1", CUT);
        unreadable("inhibitor-1", FIFO);
        unreadable("inhibitor-1", OPEN_TO_ALL);
        unreadable("stored", DROP);
}

/* What is in a folder of somebody else is neither believed nor deleted, and nothing is put there.
 */
static void test_foreign_folder(void **state)
{
        char folder[128], elsewhere[128], file[160];
        Manager *m;
        int kept, fd = leave_one(&kept), other;
        Failure f = { 0 };

        (void)snprintf(folder, sizeof(folder), "%s/inhibitors", dir);
        (void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
        (void)snprintf(file, sizeof(file), "%s/1", elsewhere);
        assert_int_equal(rename(folder, elsewhere), 0);
        assert_int_equal(symlink(elsewhere, folder), 0);
        m = make_manager();
        hand_back(kept, "inhibitor-1");
        assert_int_equal(inhibitors_restore(m), 0);
        assert_int_equal(inhibitors_count(m), 1);
        assert_true(inhibitor_is_general(inhibitors_at(m, 0)));
        assert_true(take(m, "namespace0.0", 0, &other, &f) < 0);
        (void)close(fd);
        turn(m);
        assert_int_equal(inhibitors_count(m), 0);
        assert_int_equal(access(file, F_OK), 0);
        (void)manager_free(m);
        assert_int_equal(unlink(folder), 0);
        assert_int_equal(rename(elsewhere, folder), 0);
        assert_int_equal(unlink(strcat(folder, "/1")), 0);
}

static void test_order(void **state)
{
        Manager *m = make_manager();
        int first, second, kept[2];

        assert_int_equal(inhibitors_restore(m), 0);
        assert_int_equal(take(m, "namespace0.0", 0, &first, NULL), 0);
        kept[0] = stored("inhibitor-1");
        assert_int_equal(take(m, "namespace1.0", 0, &second, NULL), 0);
        kept[1] = stored("inhibitor-2");
        (void)manager_free(m);
        m = make_manager();
        assert_int_equal(dup2(kept[0], SD_LISTEN_FDS_START + 1), SD_LISTEN_FDS_START + 1);
        (void)close(kept[0]);
        hand_back(kept[1], "inhibitor-2:inhibitor-1");
        (void)setenv("LISTEN_FDS", "2", 1);
        assert_int_equal(inhibitors_restore(m), 0);
        assert_string_equal(inhibitors_at(m, 0)->target, "namespace0.0");
        assert_string_equal(inhibitors_at(m, 1)->target, "namespace1.0");
        (void)close(first);
        (void)close(second);
        turn(m);
        assert_int_equal(inhibitors_count(m), 0);
        hear_nothing();
        (void)manager_free(m);
}

/* The unit lets the service manager keep as many as the daemon hands out. */
static void test_unit(void **state)
{
        const char *top = getenv("top_srcdir");
        _cleanup_(freep) char *path =
                string_printf("%s/systemd/pmemremoved.service.in", top ? top : ".");
        _cleanup_(freep) char *text = NULL;
        _cleanup_(freep) char *line =
                string_printf("FileDescriptorStoreMax=%d\n", LIMIT_INHIBITORS);

        assert_int_equal(read_full_file(path, 65536, &text, NULL), 0);
        assert_non_null(strstr(text, line));
}

static int listen_to_notify(void **state)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", dir);
        (void)setenv("NOTIFY_SOCKET", a.sun_path, 1);
        hear_nothing();
        return 0;
}

static int setup(void **state)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        if (!mkdtemp(dir) || log_set_target("null") < 0)
                return -1;
        keep_place();
        (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", dir);
        notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return bind(notify_fd, (struct sockaddr *)&a, sizeof(a));
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        return remove(path);
}

static int teardown(void **state)
{
        (void)close(notify_fd);
        return nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_letting_go, listen_to_notify),
                cmocka_unit_test_setup(test_limits, listen_to_notify),
                cmocka_unit_test_setup(test_store_fails, listen_to_notify),
                cmocka_unit_test_setup(test_next_daemon, listen_to_notify),
                cmocka_unit_test_setup(test_holder_died_meanwhile, listen_to_notify),
                cmocka_unit_test_setup(test_order, listen_to_notify),
                cmocka_unit_test_setup(test_unreadable, listen_to_notify),
                cmocka_unit_test_setup(test_foreign_folder, listen_to_notify),
                cmocka_unit_test(test_unit),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
