/* SPDX-License-Identifier: ISC */
#ifndef BASE_CONFIG_FILES_H
#define BASE_CONFIG_FILES_H
/*
 * The words of a configuration file with those of the files it includes in their places. Includes
 * are resolved here and never by libconfig, which ends the process when one names a directory.
 */
#include "buf.h"
#include "config_scan.h"
#include "config_tree.h"

struct config_files {
    struct config *config; /* gets the names of the files */
    struct config_problems *problems;
    struct config_tokens tokens;
    struct aic_buf texts[CONFIG_FILES_MAX]; /* what the words lie in */
    size_t bytes;                           /* of all texts */
};

/* AIC_ERROR_IO when the main file can not be read; a problem says why in any case. */
int32_t config_files_load(struct config_files *files, const char *path);
/* The same from memory. `text` is borrowed as long as the words are used. */
int32_t config_files_parse(struct config_files *files, const char *name, struct aic_str text);
/* Frees texts and words; the configuration stays. */
void config_files_finish(struct config_files *files);

#endif
