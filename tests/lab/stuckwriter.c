/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* stuckwriter FILE GO
 *
 * Sits inside write(2) to FILE for as long as the file GO does not exist: its source buffer is a
 * page that userfaultfd withholds. Whoever freezes the filesystem waits for it, uninterruptibly.
 * Prints "stuck" when it is. SIGTERM does not get it out of there. */

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096UL

static void die(const char *what)
{
        perror(what);
        _exit(1);
}

static int withhold(void *page)
{
        struct uffdio_api api = { .api = UFFD_API };
        struct uffdio_register range = {
                .range = { .start = (uintptr_t)page, .len = PAGE },
                .mode = UFFDIO_REGISTER_MODE_MISSING,
        };
        int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

        if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 || ioctl(fd, UFFDIO_REGISTER, &range) < 0)
                die("userfaultfd");
        return fd;
}

static void give(int fd, void *page)
{
        struct uffdio_zeropage zero = { .range = { .start = (uintptr_t)page, .len = PAGE } };

        if (ioctl(fd, UFFDIO_ZEROPAGE, &zero) < 0)
                die("UFFDIO_ZEROPAGE");
}

/* The child serves the page; the parent is the one that is stuck. */
static void serve(int fd, void *page, const char *go)
{
        struct pollfd p = { .fd = fd, .events = POLLIN };

        if (poll(&p, 1, -1) <= 0)
                die("poll");
        printf("stuck\n");
        fflush(stdout);
        while (access(go, F_OK) < 0)
                usleep(10000);
        give(fd, page);
        _exit(0);
}

int main(int argc, char **argv)
{
        void *page;
        int fd, file;

        if (argc != 3) {
                fprintf(stderr, "usage: stuckwriter FILE GO\n");
                return 2;
        }
        signal(SIGTERM, SIG_IGN);
        page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
                die("mmap");
        fd = withhold(page);
        if (fork() == 0)
                serve(fd, page, argv[2]);
        file = open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0)
                die(argv[1]);
        if (write(file, page, PAGE) != (ssize_t)PAGE)
                die("write");
        printf("written\n");
        return 0;
}
