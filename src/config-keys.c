/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The key table and how values are read.
 *
 * Rule: a value that could not do what its writer meant is refused, not kept. An unbalanced
 * bracket, a command name longer than the kernel records or a unit without its suffix would
 * simply never match, and what was to be protected would be killed. */

#include "config-keys.h"

#include <inttypes.h>
#include <stddef.h>

#include "util/text.h"

#define USEC_PER_MIN (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MIN)

/* Of a key's beginning, before it is taken for a slip of the pen. */
#define SIMILAR_LENGTH 5

/* TASK_COMM_LEN of the kernel without its NUL. */
#define COMM_LENGTH 15

typedef enum KeyPlace { PLACE_ANY, PLACE_DEFAULTS, PLACE_NAMED, PLACE_BUDGET } KeyPlace;

/* Reads value into field; on -EINVAL *ret_cause says what is wrong with it. */
typedef int (*ReadValue)(
        const ConfigKey *k, const char *value, void *field, const char **ret_cause);

struct ConfigKey {
        ConfigKeyInfo info;
        KeyPlace place;
        ReadValue read;
        size_t offset;       /* in Policy */
        uint64_t min, max;   /* of time spans and numbers */
        const char *allowed; /* for people; NULL: made from min and max */
};

static bool glob_is_balanced(const char *glob)
{
        bool open = false;

        for (const char *c = glob; *c; c++)
                if (*c == '\\') {
                        c++;
                        if (!*c)
                                return false;
                } else if (*c == '[' && !open) {
                        open = true;
                        /* "[]a]" and "[!]a]" hold the bracket itself. */
                        c += c[1] == '!' || c[1] == '^';
                        c += c[1] == ']';
                } else if (*c == ']')
                        open = false;
        return !open;
}

static const char *glob_cause(const char *glob)
{
        return glob_is_balanced(glob) ? NULL : "unbalanced [ or lone \\ in a pattern";
}

static const char *unit_glob_cause(const char *glob)
{
        if (!strpbrk(glob, ".*"))
                return "a unit without its suffix never matches";
        return glob_cause(glob);
}

static const char *comm_glob_cause(const char *glob)
{
        if (!strpbrk(glob, "*?[\\") && strlen(glob) > COMM_LENGTH)
                return "the kernel cuts command names after 15 characters";
        return glob_cause(glob);
}

static int read_list(const char *value, char ***list, const char *(*cause)(const char *glob),
        const char **ret_cause)
{
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = strv_split(value, &words);
        if (r < 0)
                return r;
        for (size_t i = 0; i < strv_length(words); i++) {
                *ret_cause = cause(words[i]);
                if (*ret_cause)
                        return -EINVAL;
        }
        if (strv_length(words) == 0)
                *list = strv_free(*list);
        for (size_t i = 0; i < strv_length(words); i++) {
                r = strv_append(list, words[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_globs(const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        return read_list(value, field, glob_cause, ret_cause);
}

static int read_units(const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        return read_list(value, field, unit_glob_cause, ret_cause);
}

static int read_comms(const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        return read_list(value, field, comm_glob_cause, ret_cause);
}

static int read_mode(const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        Mode m = mode_from_string(value);

        *ret_cause = "no such mode";
        if (m < 0)
                return -EINVAL;
        *(Mode *)field = m;
        return 0;
}

static int read_open_gate(
        const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        static const struct {
                const char *word;
                OpenGate gate;
        } words[] = {
                { "no", OPEN_GATE_NO },
                { "clean", OPEN_GATE_CLEAN },
                { "always", OPEN_GATE_ALWAYS },
        };

        *ret_cause = "no such word";
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (streq(value, words[i].word)) {
                        *(OpenGate *)field = words[i].gate;
                        return 0;
                }
        return -EINVAL;
}

static int read_keep_off(const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        int r;

        *ret_cause = "no such word";
        if (streq(value, "persistent")) {
                *(KeepOff *)field = KEEP_OFF_PERSISTENT;
                return 0;
        }
        r = parse_boolean(value);
        if (r >= 0)
                *(KeepOff *)field = r > 0 ? KEEP_OFF_YES : KEEP_OFF_NO;
        return MIN_OF(r, 0);
}

static int read_signal(const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        *ret_cause = "no such signal";
        return parse_signal(value, field);
}

static int read_last_signal(
        const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        if (streq(value, "none")) {
                *(int *)field = 0;
                return 0;
        }
        return read_signal(k, value, field, ret_cause);
}

/* Unlike a list of patterns it is replaced as a whole: the order is what it says. */
static int read_ladder(const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        return ladder_parse(value, field, ret_cause);
}

static int read_boolean(const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        int r;

        *ret_cause = "no boolean";
        r = parse_boolean(value);
        if (r < 0)
                return r;
        *(bool *)field = r;
        return 0;
}

static int set_in_range(const ConfigKey *k, uint64_t n, void *field, const char **ret_cause)
{
        *ret_cause = "out of range";
        if (n < k->min || n > k->max)
                return -ERANGE;
        *(uint64_t *)field = n;
        return 0;
}

static int read_timespan(const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        uint64_t usec;
        int r;

        *ret_cause = "no time span";
        r = parse_timespan(value, &usec);
        if (r < 0)
                return r;
        return set_in_range(k, usec, field, ret_cause);
}

static int read_number(const ConfigKey *k, const char *value, void *field, const char **ret_cause)
{
        uint64_t n;
        int r;

        *ret_cause = "no number";
        r = parse_u64(value, &n);
        if (r < 0)
                return r;
        return set_in_range(k, n, field, ret_cause);
}

#define ALLOWED_GLOBS "allowed are shell patterns, separated by blanks"
#define ALLOWED_LADDER                                                                             \
        "allowed are up to 8 signals with a time span of up to a day each, such as SIGTERM:10s "   \
        "SIGINT:5s"
#define ALLOWED_SIGNAL "allowed is a signal such as SIGTERM, TERM or 15"

/* Time-outs have an upper end on purpose: nothing may be frozen or waited for without one. */
static const ConfigKey keys[] = {
#define MATCH(key, member)                                                                         \
        {                                                                                          \
                { key, "" }, PLACE_NAMED, read_globs, offsetof(Policy, member), 0, 0,              \
                        ALLOWED_GLOBS                                                              \
        }
#define SPAN(key, text, member, min, max)                                                          \
        {                                                                                          \
                { key, text }, PLACE_ANY, read_timespan, offsetof(Policy, member), min, max, NULL  \
        }
#define OTHER(key, text, reader, member, allowed)                                                  \
        {                                                                                          \
                { key, text }, PLACE_ANY, reader, offsetof(Policy, member), 0, 0, allowed          \
        }
        MATCH("MatchNamespace", match_namespace),
        MATCH("MatchRegion", match_region),
        MATCH("MatchBus", match_bus),
        MATCH("MatchMountPoint", match_mount),
        MATCH("MatchUUID", match_uuid),
        MATCH("MatchLabel", match_label),
        OTHER("Mode", "auto", read_mode, mode, "allowed are auto, graceful and forced"),
        SPAN("DelayMax", "5s", delay_max_usec, 0, USEC_PER_HOUR),
        OTHER("DrainSignals", "SIGTERM:10s", read_ladder, drain, ALLOWED_LADDER),
        OTHER("LastSignal", "SIGKILL", read_last_signal, last_signal, ALLOWED_SIGNAL ", or none"),
        SPAN("FreezeTimeout", "30s", freeze_timeout_usec, USEC_PER_SEC, 10 * USEC_PER_MIN),
        SPAN("FreezeBudget", "2s", freeze_budget_usec, 0, 10 * USEC_PER_MIN),
        SPAN("KillTimeout", "10s", kill_timeout_usec, 100 * USEC_PER_MSEC, USEC_PER_HOUR),
        SPAN("UnbindTimeout", "2min", unbind_timeout_usec, USEC_PER_SEC, 24 * USEC_PER_HOUR),
        SPAN("HookTimeout", "60s", hook_timeout_usec, 100 * USEC_PER_MSEC, USEC_PER_HOUR),
        OTHER("DisableRegion", "no", read_boolean, disable_region, "allowed are yes and no"),
        OTHER("OpenGate", "no", read_open_gate, open_gate, "allowed are no, clean and always"),
        OTHER("UnexportNFS", "no", read_boolean, unexport_nfs, "allowed are yes and no"),
        OTHER("StopUnits", "yes", read_boolean, stop_units, "allowed are yes and no"),
        SPAN("StopUnitTimeout", "90s", stop_unit_timeout_usec, USEC_PER_SEC, 24 * USEC_PER_HOUR),
        OTHER("KeepOff", "no", read_keep_off, keep_off, "allowed are no, yes and persistent"),
        OTHER("ProtectUnit", "", read_units, protect_unit,
                ALLOWED_GLOBS " and with their suffix, such as postgresql*.service"),
        OTHER("ProtectProcess", "", read_comms, protect_process, ALLOWED_GLOBS),
        { { "MaxParallel", "4" }, PLACE_DEFAULTS, read_number, offsetof(Policy, max_parallel), 1,
                64, NULL },
        { { "CleanDeadMounts", "no" }, PLACE_DEFAULTS, read_boolean,
                offsetof(Policy, clean_dead_mounts), 0, 0, "allowed are yes and no" },
        { { "MaxRemoved", "0" }, PLACE_BUDGET, read_number, offsetof(Policy, max_removed), 0, 65536,
                NULL },
        { { "WhileDegraded", "yes" }, PLACE_BUDGET, read_boolean, offsetof(Policy, while_degraded),
                0, 0, "allowed are yes and no" },
};

const ConfigKeyInfo *config_key_info(size_t i)
{
        return i < ELEMENTSOF(keys) ? &keys[i].info : NULL;
}

const ConfigKey *config_key_find(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (streq(keys[i].info.name, name))
                        return &keys[i];
        return NULL;
}

/* The one that has the longest beginning in common. */
const char *config_key_similar(const char *name)
{
        const char *best = NULL;
        size_t most = SIMILAR_LENGTH - 1;

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                const char *key = keys[i].info.name;
                size_t n = 0;

                while (key[n] && key[n] == name[n])
                        n++;
                if (n > most) {
                        most = n;
                        best = key;
                }
        }
        return best;
}

bool config_key_is_match(const ConfigKey *k)
{
        return k->place == PLACE_NAMED;
}

bool config_key_is_global(const ConfigKey *k)
{
        return k->place == PLACE_DEFAULTS;
}

bool config_key_is_budget(const ConfigKey *k)
{
        return k->place == PLACE_BUDGET;
}

static void key_describe(const ConfigKey *k, char *buf, size_t size)
{
        char min[TIMESPAN_MAX], max[TIMESPAN_MAX];

        if (k->allowed)
                (void)snprintf(buf, size, "%s", k->allowed);
        else if (k->read == read_timespan)
                (void)snprintf(buf, size, "allowed are %s to %s, for example \"1min 30s\"",
                        format_timespan(min, k->min), format_timespan(max, k->max));
        else
                (void)snprintf(buf, size, "allowed are %" PRIu64 " to %" PRIu64, k->min, k->max);
}

int config_key_apply(
        const ConfigKey *k, Policy *p, const char *value, char cause[static CONFIG_CAUSE_MAX])
{
        char allowed[CONFIG_CAUSE_MAX / 2];
        const char *wrong = NULL;
        int r;

        r = k->read(k, value, (char *)p + k->offset, &wrong);
        if (r == 0 || r == -ENOMEM)
                return r;
        key_describe(k, allowed, sizeof(allowed));
        (void)snprintf(cause, CONFIG_CAUSE_MAX, "%s; %s", strempty(wrong), allowed);
        return -EINVAL;
}

static bool key_is_list(const ConfigKey *k)
{
        return k->read == read_globs || k->read == read_units || k->read == read_comms;
}

Policy *policy_free(Policy *p)
{
        if (!p)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (key_is_list(&keys[i]))
                        strv_free(*(char ***)((char *)p + keys[i].offset));
        free(p->name);
        free(p);
        return NULL;
}

int policy_new(const char *name, Policy **ret)
{
        _cleanup_(policy_freep) Policy *p = calloc(1, sizeof(Policy));
        char cause[CONFIG_CAUSE_MAX];
        int r;

        if (!p)
                return -ENOMEM;
        r = free_and_strdup(&p->name, name);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                r = config_key_apply(&keys[i], p, keys[i].info.default_text, cause);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(p);
        return 0;
}
