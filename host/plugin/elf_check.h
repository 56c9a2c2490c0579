/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_ELF_CHECK_H
#define PLUGIN_ELF_CHECK_H
/*
 * Looks at a file before the dynamic loader does, which dies of a bus error on one that was cut
 * short. Pure: bytes in, a reason out.
 */
#include <stddef.h>
#include <stdint.h>

/* How much of a file's beginning is looked at. */
enum { ELF_CHECK_BYTES = 16384 };

/* What is wrong with a shared object, as the end of a sentence; NULL when nothing is. `head` is the
 * beginning of the file: ELF_CHECK_BYTES of it, or all. */
const char *elf_check(const unsigned char *head, size_t head_bytes, uint64_t file_bytes);

#endif
