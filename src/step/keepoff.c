/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With KeepOff=, in the place of ungate: the mount unit stays masked until the next boot, and what
 * pulls it in is hidden, in /run for this boot or in /etc for all that follow. Only now, when the
 * memory is gone. What cannot be written is told and nothing more: it is no reason to take the
 * removal back. */

#include "step/step.h"
#include "sys/units.h"
#include "util/text.h"

static const char *folder_of(const Step *s)
{
        return streq(strempty(step_get(s, "until")), "persistent") ? UNITS_PERSISTENT
                                                                   : UNITS_RUNTIME;
}

static int warn(const Step *s, Run *run, const char *text, int error)
{
        _cleanup_(freep) char *sentence =
                string_printf("%s (%s); add nofail to its line in /etc/fstab, or disable the unit, "
                              "to keep the next boot from waiting for it",
                        text, strerror(-error));

        return run_note(run, "warn", step_node(s), "text", sentence, NULL);
}

/* The note comes first: what nobody knows of would stay. */
static int hide(const Step *s, Run *run, const char *link)
{
        const char *folder = folder_of(s);
        int r = unit_boot_link_is_hidden(folder, link);

        if (r > 0)
                return 0;
        if (r == 0)
                r = run_note(run, "hidden", link, "unit", step_node(s), "folder", folder, NULL);
        if (r == 0)
                r = unit_boot_link_hide(folder, link);
        return r < 0 ? warn(s, run, "it is still wanted at boot", r) : 0;
}

/* A link of the administrator's own may hide it as well; that one is not ours to have removed. */
static bool is_ours(const Run *run, const char *link)
{
        return run_recall(run, "hidden", link);
}

static int append_file(char **files, const char *folder, const char *link)
{
        char *longer = string_printf("%s %s/%s", strempty(*files), folder, link);

        free(*files);
        *files = longer;
        return longer ? 0 : -ENOMEM;
}

/* files: what we hid, NULL for none. 1: no boot waits for it. */
static int hide_all(const Step *s, Run *run, char **files)
{
        _cleanup_(strv_freep) char **links = NULL;
        const char *automount = step_get(s, "automount"), *folder = folder_of(s);
        bool all = true;
        int r = unit_boot_links(step_node(s), &links);

        if (r == 0 && automount)
                r = unit_boot_links(automount, &links);
        for (char **link = links; r == 0 && link && *link; link++) {
                bool hidden;

                r = hide(s, run, *link);
                hidden = r == 0 && unit_boot_link_is_hidden(folder, *link) > 0;
                if (hidden && is_ours(run, *link))
                        r = append_file(files, folder, *link);
                all &= hidden;
        }
        return r < 0 ? r : links && all;
}

static int tell(const Step *s, Run *run, bool hidden, const char *files)
{
        bool persistent = streq(folder_of(s), UNITS_PERSISTENT);
        _cleanup_(freep) char *text = string_printf(
                "it stays masked until the next boot%s; rm " UNITS_RUNTIME
                "/%s%s && systemctl daemon-reload takes that back",
                persistent && hidden ? ", and no boot waits for it" : "", step_node(s), files);

        return text ? run_note(run, "kept-off", step_node(s), "text", text, NULL) : -ENOMEM;
}

static int keepoff_apply(const Step *s, Run *run, Failure *f)
{
        _cleanup_(freep) char *files = NULL;
        int r = hide_all(s, run, &files);

        if (r >= 0)
                r = tell(s, run, r > 0, strempty(files));
        if (r == 0 && units_reload(step_get_u64(s, "wait"), -EBADF) < 0)
                r = run_note(run, "warn", step_node(s), "text",
                        "the service manager did not read its units again; try systemctl "
                        "daemon-reload",
                        NULL);
        return r;
}

/* The mask itself is gate's. */
static int keepoff_revert(const Step *s, Run *run, Failure *f)
{
        const Record *hidden;
        bool any = false;
        int r = 0;

        for (size_t i = 0; r == 0 && (hidden = run_noted(run, "hidden", i)); i++) {
                if (!streq(strempty(record_get(hidden, "unit")), step_node(s)))
                        continue;
                r = unit_boot_link_show(strempty(record_get(hidden, "folder")), hidden->name);
                any = true;
        }
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "it could not be set free for the next boot: %s; remove the links to "
                        "/dev/null in %s/*.target.requires",
                        strerror(-r), folder_of(s));
        return any ? units_reload(step_get_u64(s, "wait"), -EBADF) : 0;
}

const StepOps step_keepoff = {
        .name = "keepoff",
        .title = "keeping off",
        .apply = keepoff_apply,
        .revert = keepoff_revert,
};
