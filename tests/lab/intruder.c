/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* intruder FOLDER DEVICE COUNTS
 *
 * Somebody who wants in while the memory is being removed: again and again it opens a file in
 * FOLDER and writes a page through a mapping, opens DEVICE, mounts it elsewhere, and makes swap of
 * it and of a file. What it gets it gives back at once. Each round that something worked is counted
 * in the file COUNTS, "NAME NUMBER" a line; it runs until it is killed. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#define PLACE "/run/intruder"

static const char *folder, *device; /* arguments */

static int write_file(void)
{
        char path[512];
        char *page;
        int fd;

        (void)snprintf(path, sizeof(path), "%s/intruder", folder);
        /* Never in the empty folder that an unmounted filesystem leaves. */
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return -1;
        page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        (void)close(fd);
        if (page == MAP_FAILED)
                return -1;
        (*(unsigned *)(void *)page)++;
        return munmap(page, 4096);
}

static int open_device(void)
{
        int fd = open(device, O_RDWR | O_CLOEXEC);

        return fd < 0 ? -1 : close(fd);
}

static int mount_device(void)
{
        if (mount(device, PLACE, "xfs", 0, NULL) < 0)
                return -1;
        while (umount2(PLACE, 0) < 0 && errno == EBUSY)
                (void)sched_yield();
        return 0;
}

static int swap_on(const char *path)
{
        return swapon(path, 0) < 0 ? -1 : swapoff(path);
}

static int swap_device(void)
{
        return swap_on(device);
}

static int swap_file(void)
{
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/swapfile", folder);
        return swap_on(path);
}

static struct {
        const char *name;
        int (*try)(void);
        unsigned long count;
} ways[] = {
        { "write", write_file, 0 },
        { "device", open_device, 0 },
        { "mount", mount_device, 0 },
        { "swap-device", swap_device, 0 },
        { "swap-file", swap_file, 0 },
};

static void save(const char *path)
{
        FILE *f = fopen(path, "we");

        if (!f)
                return;
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
                (void)fprintf(f, "%s %lu\n", ways[i].name, ways[i].count);
        (void)fclose(f);
}

int main(int argc, char **argv)
{
        if (argc != 4 || (mkdir(PLACE, 0755) < 0 && errno != EEXIST))
                return 2;
        folder = argv[1];
        device = argv[2];
        for (;;) {
                for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
                        ways[i].count += ways[i].try() == 0;
                save(argv[3]);
        }
}
