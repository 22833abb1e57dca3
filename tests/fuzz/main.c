/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where no fuzzer is linked: gives every file of the corpus to the target, and what a torn or
 * mistyped file would be, so that an ordinary test run attacks as well. Files or folders may be
 * named; else it is the folder of PMEMREMOVED_CORPUS= that is called as the program is. */

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "util/text.h"

#define FILE_MAX_BYTES (1 << 20)
/* Runs per file with something wrong in it; spread evenly, the same ones each time. */
#define VARIANTS 200
/* What a byte is replaced by. */
static const uint8_t odd[] = { '\0', '\n', ' ', '"', '\\', '=', '%', 0x80, 0xff, '9', '/', '-' };

static size_t n_files;
static char now_running[4096];

static void on_abort(int sig)
{
        (void)!write(STDERR_FILENO, now_running, strlen(now_running));
        (void)!write(STDERR_FILENO, "\n", 1);
}

/* A copy of its exact size, so that a sanitizer sees one byte too many. */
static void run_copy(const void *data, size_t size)
{
        uint8_t *copy = malloc(size > 0 ? size : 1);

        fuzz_assert(copy);
        if (size > 0)
                memcpy(copy, data, size);
        (void)LLVMFuzzerTestOneInput(copy, size);
        free(copy);
}

static void run_variants(const char *path, char *data, size_t size)
{
        size_t step = size / VARIANTS + 1;

        for (size_t i = 0; i < size; i += step) {
                char was = data[i];

                (void)snprintf(now_running, sizeof(now_running), "%s, up to byte %zu", path, i);
                run_copy(data, i);
                (void)snprintf(now_running, sizeof(now_running), "%s, byte %zu changed", path, i);
                data[i] = (char)odd[i / step % sizeof(odd)];
                run_copy(data, size);
                data[i] = was;
        }
}

static void run_file(const char *path)
{
        _cleanup_(freep) char *data = NULL;
        size_t size;
        int r = read_full_file(path, FILE_MAX_BYTES, &data, &size);

        if (r < 0) {
                (void)fprintf(stderr, "%s: %s\n", path, strerror(-r));
                exit(EXIT_FAILURE);
        }
        n_files++;
        (void)snprintf(now_running, sizeof(now_running), "%s", path);
        run_copy(data, size);
        run_variants(path, data, size);
}

static void run_path(const char *path)
{
        _cleanup_(closedirp) DIR *d = opendir(path);

        if (!d) {
                run_file(path);
                return;
        }
        for (struct dirent *e; (e = readdir(d));) {
                _cleanup_(freep) char *file = string_printf("%s/%s", path, e->d_name);

                fuzz_assert(file);
                if (*e->d_name != '.')
                        run_file(file);
        }
}

int main(int argc, char **argv)
{
        const char *name = strrchr(argv[0], '/'), *corpus = getenv("PMEMREMOVED_CORPUS");
        _cleanup_(freep) char *dir = NULL;

        (void)signal(SIGABRT, on_abort);
        name = name ? name + 1 : argv[0];
        name += strncmp(name, "fuzz-", 5) == 0 ? 5 : 0;
        dir = string_printf("%s/%s", corpus ? corpus : "tests/corpus", name);
        fuzz_assert(dir);
        run_copy("", 0);
        if (argc < 2)
                run_path(dir);
        for (int i = 1; i < argc; i++)
                run_path(argv[i]);
        (void)printf("%s: %zu files\n", name, n_files);
        return n_files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
