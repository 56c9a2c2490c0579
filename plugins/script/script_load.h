/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_SCRIPT_LOAD_H
#define SCRIPT_SCRIPT_LOAD_H
/* From a script file to a checked script. */
#include "problems.h"
#include "script.h"

enum { SCRIPT_FILE_MAX_BYTES = 1 << 20 };

/* Reads, parses and checks; NULL when there are errors, all of them reported. */
struct script *script_load_file(const char *path, struct script_problems *problems);

/* The same for a text in memory. */
struct script *script_load_text(struct aic_str text, struct script_problems *problems);

#endif
