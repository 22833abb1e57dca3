/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "policy-overrides.h"

#include "util/text.h"

static const OverrideInfo overrides[_OVERRIDE_MAX] = {
        [OVERRIDE_FREEZE_BUDGET] = {
                .name = "freeze-budget",
                .silences = "FreezeBudget=",
                .sentence = "take the forced road although it freezes for longer",
        },
        [OVERRIDE_BUDGET] = {
                .name = "budget",
                .silences = "MaxRemoved=",
                .sentence = "take one more device out although so many are out already",
        },
        [OVERRIDE_DEGRADED] = {
                .name = "degraded",
                .silences = "WhileDegraded=",
                .sentence = "remove although a RAID array lacks a disk, or may lack one",
        },
        [OVERRIDE_PROTECTED] = {
                .name = "protected",
                .silences = "ProtectUnit= ProtectProcess=",
                .sentence = "stop and kill what the configuration protects",
        },
};

const OverrideInfo *override_info(Override o)
{
        return &overrides[o];
}

bool overrides_have(char *const *names, Override o)
{
        return strv_contains(names, overrides[o].name);
}

static bool is_known(const char *name)
{
        for (Override o = 0; o < _OVERRIDE_MAX; o++)
                if (streq(overrides[o].name, name))
                        return true;
        return false;
}

int overrides_check(char *const *names, Failure *f)
{
        char known[256] = "";
        size_t used = 0;

        for (Override o = 0; o < _OVERRIDE_MAX && used < sizeof(known); o++)
                used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
                        o > 0 ? ", " : "", overrides[o].name);
        for (char *const *n = names; n && *n; n++)
                if (!is_known(*n))
                        return failure_set(f, FAILURE_INVALID_OPTION, -EINVAL, *n,
                                "there is no check of this name to override; known: %s", known);
        return 0;
}
