/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* holderzoo KIND FOLDER
 *
 * One process that keeps the filesystem of FOLDER, or its disk, in use in exactly one way, with the
 * way as its name. Prints its pid when it does. holderzoo alone lists the kinds with the uses that
 * a scan has to tell; those with "-" no scan can show. */

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* linux/io_uring.h, which not every machine has. */
#define IORING_REGISTER_FILES 2

static const char *kind, *folder;

static void die(const char *what)
{
        fprintf(stderr, "holderzoo %s: %s: %s\n", kind, what, strerror(errno));
        _exit(1);
}

static void *check(void *p, const char *what)
{
        if (p == MAP_FAILED || !p)
                die(what);
        return p;
}

static int must(int r, const char *what)
{
        if (r < 0)
                die(what);
        return r;
}

static void say_ready(void)
{
        (void)prctl(PR_SET_NAME, kind);
        printf("%d\n", getpid());
        fflush(stdout);
}

static const char *own_name(void)
{
        static char path[4096];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, kind);
        return path;
}

static int own_file(void)
{
        int fd = must(open(own_name(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open");

        must(ftruncate(fd, 4096), "ftruncate");
        return fd;
}

/* --- descriptors --- */

static void hold_file(void)
{
        (void)own_file();
}

static void hold_folder(void)
{
        must(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
}

static void hold_path(void)
{
        must(open(folder, O_PATH | O_CLOEXEC), "open");
}

static void hold_deleted(void)
{
        (void)own_file();
        must(unlink(own_name()), "unlink");
}

/* A mount that is mounted nowhere. */
static void hold_clone(void)
{
        must((int)syscall(SYS_open_tree, AT_FDCWD, folder, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
                "open_tree");
}

/* --- mappings --- */

static void map(int fd, int flags, int prot)
{
        volatile char *p = check(mmap(NULL, 4096, prot, flags, fd, 0), "mmap");

        (void)p[0];
        (void)close(fd);
}

static void map_shared(void)
{
        map(own_file(), MAP_SHARED, PROT_READ | PROT_WRITE);
}

static void map_private(void)
{
        map(own_file(), MAP_PRIVATE, PROT_READ);
}

static void map_deleted(void)
{
        map(own_file(), MAP_SHARED, PROT_READ | PROT_WRITE);
        must(unlink(own_name()), "unlink");
}

/* --- directories and program --- */

static void hold_cwd(void)
{
        must(chdir(folder), "chdir");
}

static void hold_root(void)
{
        must(chroot(folder), "chroot");
        must(chdir("/"), "chdir");
}

/* --- elsewhere --- */

static void enter_mount_namespace(void)
{
        must(unshare(CLONE_NEWNS), "unshare");
}

static void hold_in_namespace(void)
{
        enter_mount_namespace();
        (void)own_file();
}

static void cwd_in_namespace(void)
{
        enter_mount_namespace();
        hold_cwd();
}

/* --- threads --- */

static void (*in_thread)(void);
static pthread_barrier_t held;

static void *thread_main(void *arg)
{
        must(unshare(*(int *)arg), "unshare");
        in_thread();
        (void)pthread_barrier_wait(&held);
        for (;;)
                (void)pause();
        return NULL;
}

static void hold_in_thread(void (*fn)(void), int flags)
{
        pthread_t thread;

        in_thread = fn;
        (void)pthread_barrier_init(&held, NULL, 2);
        if (pthread_create(&thread, NULL, thread_main, &flags) != 0)
                die("pthread_create");
        (void)pthread_barrier_wait(&held);
}

static void file_of_thread(void)
{
        hold_in_thread(hold_file, CLONE_FILES);
}

static void cwd_of_thread(void)
{
        hold_in_thread(hold_cwd, CLONE_FS);
}

static void *leaderless_main(void *arg)
{
        char path[32], stat[256] = "";
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
        while (!strstr(stat, ") Z")) {
                fd = must(open(path, O_RDONLY | O_CLOEXEC), path);
                must((int)read(fd, stat, sizeof(stat) - 1), path);
                (void)close(fd);
        }
        (void)own_file();
        map_shared();
        say_ready();
        for (;;)
                (void)pause();
        return arg;
}

/* The process is a zombie and holds all the same. */
static void leave_thread(void)
{
        pthread_t thread;

        (void)prctl(PR_SET_NAME, kind);
        if (pthread_create(&thread, NULL, leaderless_main, NULL) != 0)
                die("pthread_create");
        (void)syscall(SYS_exit, 0);
}

/* --- sockets --- */

static int listen_there(struct sockaddr_un *a)
{
        int fd = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

        *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (snprintf(a->sun_path, sizeof(a->sun_path), "%s", own_name()) >=
                (int)sizeof(a->sun_path))
                die("the name of the socket is too long");
        must(bind(fd, (struct sockaddr *)a, sizeof(*a)), "bind");
        must(listen(fd, 5), "listen");
        return fd;
}

static void hold_socket(void)
{
        struct sockaddr_un a;

        (void)listen_there(&a);
}

static void hold_peer(void)
{
        struct sockaddr_un a;
        int fd = listen_there(&a), peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        must(connect(peer, (struct sockaddr *)&a, sizeof(a)), "connect");
        must(accept(fd, NULL, NULL), "accept");
        (void)close(fd);
}

static void socket_in_namespace(void)
{
        must(unshare(CLONE_NEWNET), "unshare");
        hold_socket();
}

/* --- the disk itself --- */

static int open_disk(void)
{
        return must(open("/dev/pmem0", O_RDONLY | O_CLOEXEC), "/dev/pmem0");
}

static void hold_disk(void)
{
        (void)open_disk();
}

static void map_disk(void)
{
        map(open_disk(), MAP_SHARED, PROT_READ);
}

/* --- what no scan shows --- */

static void register_file(void)
{
        uint32_t params[30] = { 0 }; /* struct io_uring_params */
        int ring = must((int)syscall(SYS_io_uring_setup, 4, params), "io_uring_setup");
        int fd = own_file();

        must((int)syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &fd, 1),
                "io_uring_register");
        (void)close(fd);
}

static void send_file(void)
{
        char control[CMSG_SPACE(sizeof(int))] = { 0 }, c = 0;
        struct iovec iov = { .iov_base = &c, .iov_len = 1 };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
        int fd = own_file(), pair[2];
        struct cmsghdr *h;

        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
        m.msg_control = control;
        m.msg_controllen = sizeof(control);
        h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(h), &fd, sizeof(fd));
        must((int)sendmsg(pair[0], &m, 0), "sendmsg");
        (void)close(fd);
}

static void watch(void)
{
        int fd = must(fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY), "fanotify_init");

        must(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, AT_FDCWD, folder),
                "fanotify_mark");
        (void)close(own_file());
}

static const struct {
        const char *kind, *uses;
        void (*hold)(void);
} kinds[] = {
        { "file", "fd", hold_file },
        { "folder", "fd", hold_folder },
        { "path", "fd", hold_path },
        { "deleted", "fd", hold_deleted },
        { "clone", "fd", hold_clone },
        { "map-shared", "dax", map_shared },
        { "map-private", "dax", map_private },
        { "map-deleted", "dax", map_deleted },
        { "cwd", "cwd", hold_cwd },
        { "root", "cwd,root", hold_root },
        { "ns-file", "fd", hold_in_namespace },
        { "ns-cwd", "cwd", cwd_in_namespace },
        { "thread-file", "fd", file_of_thread },
        { "thread-cwd", "cwd", cwd_of_thread },
        { "zombie-leader", "dax,fd", leave_thread },
        { "socket", "socket", hold_socket },
        { "socket-peer", "socket", hold_peer },
        { "netns-socket", "socket", socket_in_namespace },
        { "disk", "node", hold_disk },
        { "map-disk", "node", map_disk },
        { "uring", "-", register_file },
        { "in-flight", "-", send_file },
        { "fanotify", "-", watch },
};

int main(int argc, char **argv)
{
        size_t i = 0;

        if (argc != 3) {
                for (; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                        printf("%s %s\n", kinds[i].kind, kinds[i].uses);
                return argc == 1 ? 0 : 2;
        }
        kind = argv[1];
        folder = argv[2];
        while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i].kind, kind) != 0)
                i++;
        if (i == sizeof(kinds) / sizeof(kinds[0])) {
                fprintf(stderr, "holderzoo: there is no %s\n", kind);
                return 2;
        }
        kinds[i].hold();
        say_ready();
        for (;;)
                (void)pause();
}
