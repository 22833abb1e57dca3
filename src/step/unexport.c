/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Takes the exports of one path away from the kernel's NFS server, and from its clients what they
 * have open on it. An export that was used keeps the mount busy, also after exportfs -u while a
 * client has a file open (6.1 and 6.12): the state has to be revoked. What the server opened for a
 * request of NFSv3 it closes by itself after some seconds. */

#include "step/common.h"
#include "sys/nfs.h"
#include "util/shell.h"

#define LET_GO_PAUSE_USEC (100 * USEC_PER_MSEC)
/* For what is closed by a worker of the kernel. */
#define CLOSE_USEC (3 * USEC_PER_SEC)

static int parse_exports(const Step *s, NfsExportList *l, Failure *f)
{
        int r = nfs_exports_parse(step_node(s), strempty(step_get(s, "exports")), l);

        return r >= 0 ? 0
                      : failure_set(f, FAILURE_FAILED, r, step_node(s),
                                "the plan does not say to whom it is exported");
}

/* CLIENT:PATH, as exportfs takes it. */
static const char *export_word(const NfsExport *e, char *buf, size_t size)
{
        _cleanup_(freep) char *what = string_printf("%s:%s", e->client, e->path);

        return shell_word(what ? what : e->path, buf, size);
}

static int refused(const Step *s, const NfsExport *e, int r, Failure *f)
{
        char word[SHELL_WORD_MAX];

        if (r == -ECANCELED)
                return r;
        return failure_set(f, FAILURE_BUSY, r, step_node(s),
                r == -ENOENT ? "it is exported over NFS, but exportfs could not be started; "
                               "install nfs-utils and ask again"
                             : "exportfs -u %s did not take the export away; run it by hand "
                               "and ask again",
                export_word(e, word, sizeof(word)));
}

static int unexport_all(const Step *s, Run *run, Failure *f)
{
        _cleanup_(nfs_export_list_done) NfsExportList wanted = { 0 }, now = { 0 }, after = { 0 };
        int r = parse_exports(s, &wanted, f);

        if (r == 0)
                r = nfs_exports_read(&now);
        for (size_t i = 0; i < wanted.n && r == 0; i++) {
                if (!nfs_exports_have(&now, wanted.items + i))
                        continue;
                r = nfs_unexport(wanted.items + i, step_get_u64(s, "wait"), run_cancel_fd(run));
                if (r < 0 && r != -EIO)
                        return refused(s, wanted.items + i, r, f);
                r = 0;
        }
        /* It may say that all is well and have found nothing, or fail over something else. */
        if (r == 0)
                r = nfs_exports_read(&after);
        for (size_t i = 0; i < wanted.n && r == 0; i++)
                if (nfs_exports_have(&after, wanted.items + i))
                        return refused(s, wanted.items + i, -EIO, f);
        return r;
}

/* A file whose state was revoked is closed a little later, when nothing of the cache shows it any
 * more (6.12); what NFSv3 opened is in the cache for some seconds. Who else uses the mount is no
 * business of this step: unmount says so. */
static int wait_for_files(const Step *s, Run *run, Failure *f)
{
        uint64_t start = now_usec(), closed = usec_add(start, CLOSE_USEC),
                 until = usec_add(start, step_get_u64(s, "wait"));
        MountPlace place;
        int r = 0;

        step_place(s, &place);
        while (r == 0 && mounts_busy(&place) == 1 &&
                now_usec() < (nfs_caches_files() ? until : closed)) {
                run_progress(run, s, "waiting for the NFS server to close its files");
                pause_usec(LET_GO_PAUSE_USEC);
                r = run_check_cancel(run, f);
        }
        return r;
}

static int unexport_apply(const Step *s, Run *run, Failure *f)
{
        int r = unexport_all(s, run, f);

        if (r < 0)
                return r;
        r = nfs_revoke(
                step_node(s), step_get_dev(s, "dev"), step_get_u64(s, "wait"), run_cancel_fd(run));
        if (r == -ECANCELED)
                return r;
        if (r < 0)
                return failure_set(f, FAILURE_BUSY, r, step_node(s),
                        "the NFS server did not let go of what clients have open on it (%s); "
                        "unmount it there and ask again",
                        strerror(-r));
        return wait_for_files(s, run, f);
}

/* Without its filesystem the folder below would be exported. */
static bool is_there(const Step *s)
{
        _cleanup_(mount_list_done) MountList l = { 0 };

        if (mounts_read(1, &l) < 0)
                return false;
        for (size_t i = 0; i < l.n; i++)
                if (streq(l.items[i].target, strempty(step_get(s, "target"))) &&
                        streq(l.items[i].fstype, strempty(step_get(s, "fstype"))))
                        return true;
        return false;
}

static int not_again(const Step *s, const NfsExport *e, const char *why, int r, Failure *f)
{
        char options[SHELL_WORD_MAX], word[SHELL_WORD_MAX];

        return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                "is not exported again: %s; when it is, run exportfs -o %s %s", why,
                shell_word(e->options, options, sizeof(options)),
                export_word(e, word, sizeof(word)));
}

/* Each that can be, whatever becomes of the others. */
static int export_missing(const Step *s, const NfsExportList *wanted, int *ret_last, Failure *f)
{
        _cleanup_(nfs_export_list_done) NfsExportList now = { 0 };
        int r = nfs_exports_read(&now);

        for (size_t i = 0; i < wanted->n && r == 0; i++) {
                int e;

                if (nfs_exports_have(&now, wanted->items + i))
                        continue;
                if (!is_there(s))
                        return not_again(
                                s, wanted->items + i, "nothing is mounted there", -ENOENT, f);
                e = nfs_export(wanted->items + i, step_get_u64(s, "wait"), -EBADF);
                if (e < 0)
                        *ret_last = e;
        }
        return r;
}

static int unexport_revert(const Step *s, Run *run, Failure *f)
{
        _cleanup_(nfs_export_list_done) NfsExportList wanted = { 0 }, after = { 0 };
        int r = parse_exports(s, &wanted, f), last = -EIO;

        if (r == 0)
                r = export_missing(s, &wanted, &last, f);
        if (r == 0)
                r = nfs_exports_read(&after);
        for (size_t i = 0; i < wanted.n && r == 0; i++)
                if (!nfs_exports_have(&after, wanted.items + i))
                        return not_again(s, wanted.items + i, "exportfs failed", last, f);
        return r;
}

const StepOps step_unexport = {
        .name = "unexport",
        .title = "taking the NFS export away from",
        .apply = unexport_apply,
        .revert = unexport_revert,
};
