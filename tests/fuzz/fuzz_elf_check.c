/* SPDX-License-Identifier: ISC */
/* What is found good lies within the file. The first two bytes say how much longer it is. */
#include "plugin/elf_check.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    size_t head_bytes = size - 2;
    uint64_t file_bytes = head_bytes + (uint64_t)(data[0] << 8 | data[1]);
    /* A copy of its own, so that a read behind its end is seen. */
    unsigned char *head = malloc(head_bytes + 1);
    if (!head) {
        return 0;
    }
    memcpy(head, data + 2, head_bytes);
    unsigned char *exact = realloc(head, head_bytes ? head_bytes : 1);
    head = exact ? exact : head;
    if (!elf_check(head, head_bytes, file_bytes)) {
        Elf64_Ehdr elf;
        memcpy(&elf, head, sizeof(elf));
        for (unsigned i = 0; i < elf.e_phnum; i++) {
            Elf64_Phdr segment;
            memcpy(&segment, head + elf.e_phoff + i * sizeof(segment), sizeof(segment));
            if (segment.p_type == PT_LOAD && segment.p_offset + segment.p_filesz > file_bytes) {
                abort();
            }
        }
    }
    free(head);
    return 0;
}
