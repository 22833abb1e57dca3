/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Inhibitors as data. Their texts come from anybody who may take one, and are shown to
 * administrators, in the journal and in prompts: only plain text gets in. */

#include "inhibitor.h"

#include <inttypes.h>

#include "util/text.h"
#include "util/utf8.h"

static const char *const mode_names[_INHIBIT_MODE_MAX] = {
        [INHIBIT_BLOCK] = "block",
        [INHIBIT_DELAY] = "delay",
};

const char *inhibit_mode_to_string(InhibitMode m)
{
        return m >= 0 && m < _INHIBIT_MODE_MAX ? mode_names[m] : NULL;
}

InhibitMode inhibit_mode_from_string(const char *s)
{
        for (int m = 0; m < _INHIBIT_MODE_MAX; m++)
                if (streq(mode_names[m], s))
                        return (InhibitMode)m;
        return _INHIBIT_MODE_INVALID;
}

Inhibitor *inhibitor_free(Inhibitor *i)
{
        if (!i)
                return NULL;
        free(i->target);
        strv_free(i->names);
        free(i->who);
        free(i->why);
        free(i);
        return NULL;
}

/* --- text --- */

static const char *text_cause(const char *s, size_t max)
{
        if (!*s)
                return "is empty";
        if (strlen(s) > max)
                return "is too long";
        while (*s) {
                size_t n = 1;

                if (!utf8_is_plain(utf8_decode(s, &n)))
                        return "holds something that is not printable";
                s += n;
        }
        return NULL;
}

static int check(const Inhibitor *i, Failure *f)
{
        const struct {
                const char *name, *text;
                size_t max;
        } texts[] = { { "who", i->who, INHIBITOR_WHO_MAX }, { "why", i->why, INHIBITOR_WHY_MAX } };
        const char *cause =
                inhibitor_is_general(i) ? NULL : text_cause(i->target, INHIBITOR_TARGET_MAX);

        if (cause)
                return failure_set(
                        f, FAILURE_INVALID_TARGET, 0, NULL, "the target of an inhibitor %s", cause);
        for (size_t k = 0; k < ELEMENTSOF(texts); k++) {
                cause = text_cause(texts[k].text, texts[k].max);
                if (cause)
                        return failure_set(f, FAILURE_INVALID_OPTION, 0, texts[k].name,
                                "the text %s; allowed are 1 to %zu bytes of printable UTF-8", cause,
                                texts[k].max);
        }
        if (i->mode < 0)
                return failure_set(f, FAILURE_INVALID_OPTION, 0, "mode",
                        "there is no such mode; known are block and delay");
        return 0;
}

/* --- birth, and its place in a file --- */

static int fill(Inhibitor *i, const char *target, const char *who, const char *why)
{
        int r;

        r = free_and_strdup(&i->target, target);
        if (r == 0)
                r = free_and_strdup(&i->who, who);
        return r < 0 ? r : free_and_strdup(&i->why, why);
}

int inhibitor_new(const char *target, const char *who, const char *why, const char *mode,
        Inhibitor **ret, Failure *f)
{
        _cleanup_(inhibitor_freep) Inhibitor *i = calloc(1, sizeof(*i));
        int r;

        if (!i)
                return -ENOMEM;
        i->mode = inhibit_mode_from_string(mode);
        r = fill(i, target, who, why);
        if (r == 0)
                r = check(i, f);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(i);
        return 0;
}

int inhibitor_new_unknown(uint64_t id, Inhibitor **ret)
{
        int r;

        r = inhibitor_new("", "unknown",
                "what was written down about it cannot be read, so it may stand for anything",
                mode_names[INHIBIT_BLOCK], ret, NULL);
        if (r == 0)
                (*ret)->id = id;
        return r;
}

static int set_names(Record *r, char *const *names)
{
        _cleanup_(freep) char *text = NULL;

        for (; names && *names; names++) {
                char *longer = string_printf("%s%s%s", strempty(text), text ? " " : "", *names);

                if (!longer)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        return record_set(r, "names", text);
}

int inhibitor_to_record(const Inhibitor *i, Record **ret)
{
        _cleanup_(record_freep) Record *r = NULL;
        char id[24];
        int e;

        (void)snprintf(id, sizeof(id), "%" PRIu64, i->id);
        r = record_new("inhibitor", id);
        if (!r)
                return -ENOMEM;
        e = record_set(r, "target", i->target);
        if (e == 0)
                e = set_names(r, i->names);
        if (e == 0)
                e = record_set(r, "who", i->who);
        if (e == 0)
                e = record_set(r, "why", i->why);
        if (e == 0)
                e = record_set(r, "mode", inhibit_mode_to_string(i->mode));
        if (e == 0)
                e = record_setf(r, "uid", "%u", i->uid);
        if (e == 0)
                e = record_setf(r, "pid", "%d", i->pid);
        if (e < 0)
                return e;
        *ret = TAKE_PTR(r);
        return 0;
}

static int read_ids(const Record *r, Inhibitor *i)
{
        uint64_t uid, pid;

        if (!r->name || parse_u64(r->name, &i->id) < 0)
                return -EBADMSG;
        if (record_get_u64(r, "uid", &uid) < 0 || uid > UINT32_MAX)
                return -EBADMSG;
        if (record_get_u64(r, "pid", &pid) < 0 || pid > INT32_MAX)
                return -EBADMSG;
        i->uid = (uid_t)uid;
        i->pid = (pid_t)pid;
        return 0;
}

int inhibitor_from_record(const Record *r, Inhibitor **ret)
{
        _cleanup_(inhibitor_freep) Inhibitor *i = NULL;
        int e;

        if (!streq(r->verb, "inhibitor") || !record_get(r, "target"))
                return -EBADMSG;
        e = inhibitor_new(record_get(r, "target"), strempty(record_get(r, "who")),
                strempty(record_get(r, "why")), strempty(record_get(r, "mode")), &i, NULL);
        if (e < 0)
                return e == -ENOMEM ? e : -EBADMSG;
        e = read_ids(r, i);
        if (e == 0)
                e = strv_split(strempty(record_get(r, "names")), &i->names);
        if (e < 0)
                return e;
        *ret = TAKE_PTR(i);
        return 0;
}

/* --- what it says --- */

bool inhibitor_is_general(const Inhibitor *i)
{
        return !*i->target;
}

bool inhibitor_concerns(const Inhibitor *i, char *const *names)
{
        if (inhibitor_is_general(i))
                return true;
        for (; names && *names; names++)
                if (strv_contains(i->names, *names))
                        return true;
        return false;
}

const char *inhibitor_label(const Inhibitor *i, char *buf, size_t size)
{
        (void)snprintf(buf, size, "%s (%d)", i->who, i->pid);
        return buf;
}

/* A path of any length must not push the advice out of the sentence, nor be cut in the middle of a
 * character. */
#define TARGET_SHOWN_MAX 300

int inhibitor_refuse(const Inhibitor *i, Failure *f)
{
        char label[INHIBITOR_WHO_MAX + 32];
        const char *what = inhibitor_is_general(i)                ? "everything"
                           : strlen(i->target) > TARGET_SHOWN_MAX ? "something on it"
                                                                  : i->target;

        return failure_set(f, FAILURE_INHIBITED, 0, inhibitor_label(i, label, sizeof(label)),
                "it forbids the removal of %s: \"%s\" (uid %u); let it finish or end it, or ask "
                "with ignore-inhibitors",
                what, i->why, i->uid);
}
