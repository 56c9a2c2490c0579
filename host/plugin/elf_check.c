/* SPDX-License-Identifier: ISC */
#include "plugin/elf_check.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

static const char *const not_ours = "is not a shared object for this machine";
static const char *const is_cut = "is cut short or damaged: copy it again";

/* The class and the machine that this program itself is made for. */
static bool is_for_us(const Elf64_Ehdr *elf)
{
#if defined(__x86_64__)
    const Elf64_Half machine = EM_X86_64;
#elif defined(__aarch64__)
    const Elf64_Half machine = EM_AARCH64;
#else
    const Elf64_Half machine = elf->e_machine;
#endif
    return memcmp(elf->e_ident, ELFMAG, SELFMAG) == 0 && elf->e_ident[EI_CLASS] == ELFCLASS64 &&
           elf->e_type == ET_DYN && elf->e_machine == machine;
}

static bool is_within(uint64_t offset, uint64_t length, uint64_t limit)
{
    return offset <= limit && length <= limit - offset;
}

const char *elf_check(const unsigned char *head, size_t head_bytes, uint64_t file_bytes)
{
    Elf64_Ehdr elf;
    if (head_bytes < sizeof(elf)) {
        return not_ours;
    }
    memcpy(&elf, head, sizeof(elf));
    if (!is_for_us(&elf)) {
        return not_ours;
    }
    uint64_t table_bytes = (uint64_t)elf.e_phnum * sizeof(Elf64_Phdr);
    if (elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phnum == 0 ||
        !is_within(elf.e_phoff, table_bytes, head_bytes)) {
        return is_cut;
    }
    for (unsigned i = 0; i < elf.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, head + elf.e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_type != PT_NULL && segment.p_type != PT_GNU_STACK &&
            !is_within(segment.p_offset, segment.p_filesz, file_bytes)) {
            return is_cut;
        }
    }
    return NULL;
}
