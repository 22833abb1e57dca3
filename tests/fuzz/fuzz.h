/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the fuzz targets share. A target is one file with one LLVMFuzzerTestOneInput(): libFuzzer,
 * AFL++ and main.c, which only reads the corpus, all call the same. What must hold for every input
 * is asserted there; that nothing is touched which is not ours, the sanitizers say. */

#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "util/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process with the place and the words of what does not hold. */
#define fuzz_assert(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_fail(const char *file, int line, const char *what);

/* The input as a string, up to its first NUL. */
char *fuzz_text(const uint8_t *data, size_t size);
/* Takes what is in front of the next separator off *rest, in place; NULL when nothing is left. */
char *fuzz_part(char **rest, char separator);
/* A file in memory that holds these bytes and is read from its beginning. The same descriptor each
 * time; not to be closed. path leads to it. */
int fuzz_file(const void *data, size_t size);
#define FUZZ_PATH_MAX 32
const char *fuzz_file_path(char buf[static FUZZ_PATH_MAX]);

/* One line of printable characters (RECORD_LINE_MAX): what a record or a sentence has to be. */
void fuzz_assert_line(const char *s);
/* Several of them, each with its newline. */
void fuzz_assert_lines(const char *s);
/* No control character but the named ones, and well-formed UTF-8. */
void fuzz_assert_utf8(const char *s, const char *allowed);
/* One JSON document of RFC 8259 and nothing behind it. */
void fuzz_assert_json(const char *s);
/* Filled, with a kind and a sentence for people. */
void fuzz_assert_failure(const Failure *f);
/* A record that prints, and reads back as itself. */
void fuzz_assert_record(const Record *r);
