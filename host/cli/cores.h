/* SPDX-License-Identifier: ISC */
#ifndef CLI_CORES_H
#define CLI_CORES_H
/* Memory holds keys and what callers said, so a crash writes none of it to the disk. */

/* No core dump of this process and those it starts, by a file or by a program of the system. */
void cores_forbid(void);
/* As much as whoever started us allows. */
void cores_allow(void);

#endif
