/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is learnt of a filesystem through its mounts, where nobody answers above one of them. The
 * filesystem is a tmpfs that is called an XFS. */

#include "fixture.h"

#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "util/text.h"

#define DEEP SCRATCH "/deep"

static bool have_scratch;

static int hide_behind_fuse(void *arg)
{
        if (unshare(CLONE_NEWNS) < 0)
                return -errno;
        return MIN_OF(mount_fuse(DEEP, "40000"), 0);
}

static Graph *make_graph(const char *root, Node **ret)
{
        Graph *g = graph_new();
        char dev[DEVNUM_MAX];
        struct stat st;
        Node *disk;

        assert_int_equal(stat(root, &st), 0);
        assert_int_equal(graph_add(g, KIND_BLOCK, "pmem0", &disk), 0);
        assert_int_equal(graph_add(g, KIND_FILESYSTEM, "pmem0", ret), 0);
        assert_int_equal(graph_link(*ret, disk), 0);
        assert_int_equal(node_set(*ret, "type", "xfs"), 0);
        assert_int_equal(node_set(*ret, "dev", format_devnum(dev, st.st_dev)), 0);
        return g;
}

static void test_hidden_behind_who_does_not_answer(void **state)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        HolderScan scan = { .deadline_usec = USEC_INFINITY };
        Failure f = { 0 };
        Holder other;
        Node *fs;
        int fd;

        fd = have_scratch && mkdir(DEEP, 0700) == 0 ? mount_fuse(DEEP, "40000") : -ENOENT;
        if (fd < 0)
                skip();
        (void)close(fd);
        assert_int_equal(umount2(DEEP, MNT_DETACH), 0);
        assert_int_equal(mkdir(DEEP "/fs", 0700), 0);
        assert_int_equal(mount("none", DEEP "/fs", "tmpfs", 0, NULL), 0);
        g = scan.graph = make_graph(DEEP "/fs", &fs);
        other = holder_start(hide_behind_fuse, NULL);
        assert_int_equal(umount(DEEP "/fs"), 0);
        (void)alarm(60);
        assert_int_equal(holder_mount.discover(&scan, fs, &f), 0);
        (void)alarm(0);
        assert_int_equal(fs->n_upper, 1);
        assert_string_equal(node_get(fs->upper[0], "target"), DEEP "/fs");
        mount_list_done(&scan.mounts);
        holder_stop(&other);
}

static int setup(void **state)
{
        have_scratch = getuid() == 0 && private_scratch() >= 0;
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hidden_behind_who_does_not_answer),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
