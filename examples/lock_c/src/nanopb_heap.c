/* Debian builds nanopb with PB_ENABLE_MALLOC, so its decoder refers to realloc and free: for fields that its options call
 * FT_POINTER, of which nanopb.options has none. The Makefile sends those two references here, and `make no-heap` checks that
 * nothing else asks for memory. nanopb built from its sources without that macro has no such references, and this file is
 * left out. */
#include <stddef.h>

void *fw_no_realloc(void *old, size_t size);
void fw_no_free(void *old);

void *fw_no_realloc(void *old, size_t size)
{
    (void)old;
    (void)size;
    return NULL; /* nanopb takes it for "out of memory": decoding fails, and the record is refused */
}

void fw_no_free(void *old)
{
    (void)old;
}
