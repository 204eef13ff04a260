/* Gives back the memory of relocations: the loader has done them, and nobody reads them again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/loaded.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/** Whole pages of what the loader has read of one program or library; what is asked for all the same is read again. */
static int give_back(struct dl_phdr_info *object, size_t size, void *arg)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), base = object->dlpi_addr;
    uintptr_t start = 0, len = 0;
    (void)size;
    (void)arg;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        const ElfW(Dyn) *d = (const void *)(base + segment->p_vaddr); /* NOLINT(performance-no-int-to-ptr) */
        for (; segment->p_type == PT_DYNAMIC && d->d_tag != DT_NULL; d++) {
            start = d->d_tag == DT_RELA || d->d_tag == DT_REL ? d->d_un.d_ptr : start;
            len = d->d_tag == DT_RELASZ || d->d_tag == DT_RELSZ ? d->d_un.d_val : len;
        }
    }
    start = start < base ? base + start : start; /* not all loaders write there where it lies */
    const uintptr_t first = (start + page - 1) & ~(page - 1), end = (start + len) & ~(page - 1);
    if (first < end) {
        (void)madvise((void *)first, end - first, MADV_DONTNEED); /* NOLINT(performance-no-int-to-ptr) */
    }
    return 0;
}

void loaded_give_back(void)
{
    (void)dl_iterate_phdr(give_back, NULL);
}
