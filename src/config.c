/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the policy files: which files, which sections, and who overrides whom. What a key means is
 * config-keys.c.
 *
 * Assignments are only collected while files are read, and checked on the spot so that an error
 * has its line. Policies are built after the last file, because a named section copies the
 * defaults as all files together leave them, wherever [Policy] stands.
 *
 * The only user of libinih, which is compiled differently everywhere (length of a line, line number
 * in the handler). So lines come from a reader of our own, which also counts them, takes away
 * indentation, by which a line would continue the one before, and sees the section headers itself:
 * libinih never reports a section without keys and cuts its name after 49 characters. */

#include "config.h"

#include <ini.h>
#include <stdarg.h>

#include "config-keys.h"
#include "util/dropins.h"
#include "util/text.h"

#define CONFIG_FILE "pmemremoved.conf"
#define CONFIG_BYTES_MAX (1024 * 1024)

/* Drop-ins of a later directory replace those of an earlier one. */
static const char *const dropin_dirs[] = { "/usr/lib", "/run", CONFDIR };

typedef struct Assignment {
        const ConfigKey *key;
        char *value;
} Assignment;

/* Sections that there is one of; the named ones follow. */
enum { SECTION_POLICY, SECTION_BUDGET, SECTIONS_FIXED };

typedef struct Section {
        char *name;           /* NULL: [Policy] or [Budget] */
        char *origin;         /* "FILE:LINE" of its first header */
        unsigned file_number; /* in which it was seen last */
        Assignment *assignments;
        size_t n_assignments;
} Section;

/* All files together. */
typedef struct Collection {
        Section **sections; /* [Policy], [Budget], then the named ones in reading order */
        size_t n_sections;
        unsigned n_files;
        Policy *scratch; /* takes every value once, only to see whether it can */
} Collection;

typedef struct FileReader {
        Collection *all;
        const char *path;
        const char *next; /* text not read yet */
        unsigned line;
        Section *section; /* NULL before the first header */
        Failure failure;  /* the first; nothing is read after it */
} FileReader;

static const char *const mode_names[_MODE_MAX] = {
        [MODE_AUTO] = "auto",
        [MODE_GRACEFUL] = "graceful",
        [MODE_FORCED] = "forced",
};

const char *mode_to_string(Mode m)
{
        return m >= 0 && m < _MODE_MAX ? mode_names[m] : NULL;
}

Mode mode_from_string(const char *s)
{
        for (Mode m = 0; s && m < _MODE_MAX; m++)
                if (streq(s, mode_names[m]))
                        return m;
        return _MODE_INVALID;
}

static Section *section_free(Section *s)
{
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_assignments; i++)
                free(s->assignments[i].value);
        free(s->assignments);
        free(s->origin);
        free(s->name);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(Section *, section_free);

static int section_assign(Section *s, const ConfigKey *key, const char *value)
{
        Assignment *grown;
        char *copy;

        grown = reallocarray(s->assignments, s->n_assignments + 1, sizeof(Assignment));
        if (!grown)
                return -ENOMEM;
        s->assignments = grown;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        s->assignments[s->n_assignments++] = (Assignment){ .key = key, .value = copy };
        return 0;
}

static void collection_done(Collection *all)
{
        for (size_t i = 0; i < all->n_sections; i++)
                section_free(all->sections[i]);
        free(all->sections);
        policy_free(all->scratch);
}

static int collection_add(Collection *all, const char *name, const char *origin, Section **ret)
{
        _cleanup_(section_freep) Section *s = calloc(1, sizeof(Section));
        Section **grown;

        if (!s)
                return -ENOMEM;
        if (free_and_strdup(&s->name, name) < 0 || free_and_strdup(&s->origin, origin) < 0)
                return -ENOMEM;
        grown = reallocarray(all->sections, all->n_sections + 1, sizeof(Section *));
        if (!grown)
                return -ENOMEM;
        all->sections = grown;
        *ret = all->sections[all->n_sections++] = TAKE_PTR(s);
        return 0;
}

static int collection_init(Collection *all)
{
        Section *fixed;
        int r;

        r = policy_new(NULL, &all->scratch);
        for (unsigned i = 0; i < SECTIONS_FIXED && r == 0; i++)
                r = collection_add(all, NULL, NULL, &fixed);
        return r;
}

static Section *collection_find(const Collection *all, const char *name)
{
        for (size_t i = SECTIONS_FIXED; i < all->n_sections; i++)
                if (streq(all->sections[i]->name, name))
                        return all->sections[i];
        return NULL;
}

/* libinih wants zero for an error. */
static int reader_fail(FileReader *reader, const char *fmt, ...) _printf_(2, 3);
static int reader_fail(FileReader *reader, const char *fmt, ...)
{
        char text[768];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        (void)failure_set(&reader->failure, FAILURE_INVALID_CONFIG, 0, NULL, "%s:%u: %s",
                reader->path, reader->line, text);
        return 0;
}

static int reader_out_of_memory(FileReader *reader)
{
        (void)failure_set(&reader->failure, FAILURE_FAILED, -ENOMEM, NULL, "Out of memory.");
        return 0;
}

/* text: what stands between the brackets, for people. */
static void reader_enter_section(FileReader *reader, Section *s, const char *text)
{
        if (s->file_number == reader->all->n_files) {
                (void)reader_fail(reader,
                        "[%s] appears twice in this file; write its keys in one place", text);
                return;
        }
        s->file_number = reader->all->n_files;
        reader->section = s;
}

static void reader_enter_named(FileReader *reader, const char *name, const char *text)
{
        _cleanup_(freep) char *origin = NULL;
        Section *s = collection_find(reader->all, name);

        if (!s) {
                origin = string_printf("%s:%u", reader->path, reader->line);
                if (!origin || collection_add(reader->all, name, origin, &s) < 0) {
                        (void)reader_out_of_memory(reader);
                        return;
                }
        }
        reader_enter_section(reader, s, text);
}

/* NULL unless text is Policy "name". */
static char *section_name(const char *text)
{
        static const char prefix[] = "Policy \"";
        const char *name, *quote;

        if (strncmp(text, prefix, strlen(prefix)) != 0)
                return NULL;
        name = text + strlen(prefix);
        quote = strchr(name, '"');
        if (!quote || quote == name || quote[1])
                return NULL;
        return strndup(name, (size_t)(quote - name));
}

static void reader_find_section(FileReader *reader, const char *text)
{
        static const char *const fixed[] = {
                [SECTION_POLICY] = "Policy", [SECTION_BUDGET] = "Budget"
        };
        _cleanup_(freep) char *name = section_name(text);

        if (name) {
                reader_enter_named(reader, name, text);
                return;
        }
        for (unsigned i = 0; i < SECTIONS_FIXED; i++)
                if (streq(text, fixed[i])) {
                        reader_enter_section(reader, reader->all->sections[i], text);
                        return;
                }
        (void)reader_fail(reader,
                "unknown section [%s]; allowed are [Policy], [Policy \"name\"] and [Budget]", text);
}

/* header is "[...]" with whatever follows it. */
static void reader_section(FileReader *reader, const char *header)
{
        _cleanup_(freep) char *text = strndup(header + 1, strcspn(header + 1, "]"));
        const char *rest;

        if (!text) {
                (void)reader_out_of_memory(reader);
                return;
        }
        rest = header + 1 + strlen(text);
        if (!*rest) {
                (void)reader_fail(reader, "a section header without its ]");
                return;
        }
        rest += 1 + strspn(rest + 1, " \t\r\n");
        if (*rest && *rest != ';') {
                (void)reader_fail(reader, "text behind the section header [%s]", text);
                return;
        }
        reader_find_section(reader, text);
}

/* The fgets() of libinih: the next line, without its indentation. */
static char *reader_line(char *buf, int size, void *userdata)
{
        FileReader *reader = userdata;
        const char *start = reader->next + strspn(reader->next, " \t");
        size_t length = strcspn(start, "\n");

        if (reader->failure.kind != FAILURE_NONE || !*reader->next)
                return NULL;
        reader->line++;
        if (length + 2 > (size_t)size) {
                (void)reader_fail(reader,
                        "a line longer than %d characters; a list may be assigned in pieces",
                        size - 2);
                return NULL;
        }
        (void)snprintf(buf, size, "%.*s\n", (int)length, start);
        reader->next = start + length + (start[length] == '\n');
        if (*buf == '[')
                reader_section(reader, buf);
        return buf;
}

static const char *misplaced(const Collection *all, const Section *s, const ConfigKey *key)
{
        bool budget = s == all->sections[SECTION_BUDGET];

        if (config_key_is_budget(key) && !budget)
                return "is a limit of the whole machine; it belongs into [Budget]";
        if (budget && !config_key_is_budget(key))
                return "is no limit of the machine; it belongs into a [Policy]";
        if (config_key_is_match(key) && !s->name)
                return "says where a policy applies; it belongs into a [Policy \"name\"]";
        if (config_key_is_global(key) && s->name)
                return "is one for the whole daemon; it belongs into [Policy]";
        return NULL;
}

static int reader_unknown(FileReader *reader, const char *name)
{
        const char *similar = config_key_similar(name);

        return reader_fail(reader,
                "%s=: unknown key%s%s%s; pmemremoved.conf(5) lists those that exist", name,
                similar ? ", perhaps " : "", strempty(similar), similar ? "=" : "");
}

static int reader_key(void *userdata, const char *ini_section, const char *name, const char *value)
{
        FileReader *reader = userdata;
        const ConfigKey *key = config_key_find(name);
        char cause[CONFIG_CAUSE_MAX];
        const char *wrong;
        int r;

        if (reader->failure.kind != FAILURE_NONE)
                return 0;
        if (!reader->section)
                return reader_fail(reader, "%s= stands before the first section", name);
        if (!key)
                return reader_unknown(reader, name);
        wrong = misplaced(reader->all, reader->section, key);
        if (wrong)
                return reader_fail(reader, "%s= %s", name, wrong);
        r = config_key_apply(key, reader->all->scratch, value, cause);
        if (r == -EINVAL)
                return reader_fail(reader, "%s=%s: %s", name, value, cause);
        if (r == 0)
                r = section_assign(reader->section, key, value);
        if (r < 0)
                return reader_out_of_memory(reader);
        return 1;
}

static int read_text(Collection *all, const char *path, const char *text, Failure *f)
{
        FileReader reader = { .all = all, .path = path, .next = text };
        int r;

        all->n_files++;
        r = ini_parse_stream(reader_line, &reader, reader_key, &reader);
        if (r == -2)
                (void)reader_out_of_memory(&reader);
        /* A line that is neither header nor key comes to no handler, and the reader may have failed
         * in a later one. */
        if (r > 0 && (reader.failure.kind == FAILURE_NONE || (unsigned)r < reader.line)) {
                reader.failure = (Failure){};
                reader.line = r;
                (void)reader_fail(&reader, "neither a [section] nor Key=value");
        }
        if (reader.failure.kind == FAILURE_NONE)
                return 0;
        return failure_set(
                f, reader.failure.kind, reader.failure.err, NULL, "%s", reader.failure.sentence);
}

static int read_file(Collection *all, const char *path, bool optional, Failure *f)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = read_full_file(path, CONFIG_BYTES_MAX, &text, &size);
        if (r == -ENOENT && optional)
                return 0;
        if (r < 0)
                return failure_set(f, FAILURE_INVALID_CONFIG, r, NULL, "%s: cannot be read: %s",
                        path, strerror(-r));
        if (strlen(text) != size)
                return failure_set(f, FAILURE_INVALID_CONFIG, 0, NULL,
                        "%s: no text file: it contains a NUL byte", path);
        return read_text(all, path, text, f);
}

static bool is_dropin_name(const char *name)
{
        size_t length = strlen(name), suffix = strlen(".conf");

        return *name != '.' && length > suffix && streq(name + length - suffix, ".conf");
}

static int dropins_find(const char *root, char ***paths, Failure *f)
{
        int r;

        for (size_t i = 0; i < ELEMENTSOF(dropin_dirs); i++) {
                _cleanup_(freep) char *dir = NULL;

                dir = string_printf("%s%s/" CONFIG_FILE ".d", root, dropin_dirs[i]);
                if (!dir)
                        return failure_set(f, FAILURE_FAILED, -ENOMEM, NULL, "Out of memory.");
                r = dropins_read_dir(paths, dir, is_dropin_name);
                if (r < 0)
                        return failure_set(f, FAILURE_INVALID_CONFIG, r, NULL,
                                "%s: cannot be read: %s", dir, strerror(-r));
        }
        dropins_sort(*paths);
        return 0;
}

static int replay(const Section *s, Policy *p)
{
        char cause[CONFIG_CAUSE_MAX];
        int r;

        for (size_t i = 0; i < s->n_assignments; i++) {
                r = config_key_apply(s->assignments[i].key, p, s->assignments[i].value, cause);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool matches_something(const Policy *p)
{
        return p->match_namespace || p->match_region || p->match_bus || p->match_mount ||
               p->match_uuid || p->match_label;
}

static int config_add(Config *c, const Collection *all, const Section *s)
{
        _cleanup_(policy_freep) Policy *p = NULL;
        Policy **grown;
        int r;

        r = policy_new(s->name, &p);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < SECTIONS_FIXED && r == 0; i++)
                r = replay(all->sections[i], p);
        if (r < 0)
                return r;
        if (s->name) {
                r = replay(s, p);
                if (r < 0)
                        return r;
                if (!matches_something(p))
                        return -ENODATA;
        }
        grown = reallocarray(c->policies, c->n_policies + 1, sizeof(Policy *));
        if (!grown)
                return -ENOMEM;
        c->policies = grown;
        c->policies[c->n_policies++] = TAKE_PTR(p);
        return 0;
}

static int config_build(const Collection *all, Config **ret, Failure *f)
{
        _cleanup_(config_freep) Config *c = calloc(1, sizeof(Config));
        int r = c ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < all->n_sections; i++) {
                if (i == SECTION_BUDGET)
                        continue;
                r = config_add(c, all, all->sections[i]);
                if (r == -ENODATA)
                        return failure_set(f, FAILURE_INVALID_CONFIG, 0, NULL,
                                "%s: [Policy \"%s\"] without any Match*= would apply to nothing "
                                "or everything; say which devices it is for",
                                all->sections[i]->origin, all->sections[i]->name);
        }
        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, NULL, "Out of memory.");
        *ret = TAKE_PTR(c);
        return 0;
}

Config *config_free(Config *c)
{
        if (!c)
                return NULL;
        for (size_t i = 0; i < c->n_policies; i++)
                policy_free(c->policies[i]);
        free(c->policies);
        free(c);
        return NULL;
}

int config_new_defaults(Config **ret)
{
        _cleanup_(collection_done) Collection all = {};
        int r;

        r = collection_init(&all);
        if (r < 0)
                return r;
        return config_build(&all, ret, NULL);
}

int config_load(const char *root, Config **ret, Failure *f)
{
        _cleanup_(collection_done) Collection all = {};
        _cleanup_(strv_freep) char **dropins = NULL;
        _cleanup_(freep) char *path = string_printf("%s" CONFDIR "/" CONFIG_FILE, root);
        int r;

        if (!path || collection_init(&all) < 0)
                return failure_set(f, FAILURE_FAILED, -ENOMEM, NULL, "Out of memory.");
        r = read_file(&all, path, true, f);
        if (r < 0)
                return r;
        r = dropins_find(root, &dropins, f);
        if (r < 0)
                return r;
        for (char **p = dropins; p && *p; p++) {
                r = read_file(&all, *p, false, f);
                if (r < 0)
                        return r;
        }
        return config_build(&all, ret, f);
}

int config_load_file(const char *path, Config **ret, Failure *f)
{
        _cleanup_(collection_done) Collection all = {};
        int r;

        if (collection_init(&all) < 0)
                return failure_set(f, FAILURE_FAILED, -ENOMEM, NULL, "Out of memory.");
        r = read_file(&all, path, false, f);
        if (r < 0)
                return r;
        return config_build(&all, ret, f);
}
