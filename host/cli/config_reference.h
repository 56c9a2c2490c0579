/* SPDX-License-Identifier: ISC */
#ifndef CLI_CONFIG_REFERENCE_H
#define CLI_CONFIG_REFERENCE_H
/* docs/configuration.md, made from what host and plugins declare. */

/* Prints it; returns the exit status. */
int config_reference_print(void);
/* What a type of option is called for people. */
const char *config_type_name(unsigned type);

#endif
