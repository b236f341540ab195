/* Answers for each case on standard input whether the strict reader takes it: for the differential test with Python.
 *
 * A case is the message's number (1 byte), its length (4 bytes, little-endian) and its bytes. The answer is a byte: 1 or 0.
 */
#include <stdio.h>
#include <stdlib.h>

#include "strict.h"

int main(void)
{
    uint8_t head[5];
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        const size_t len = (size_t)head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
        /* A block of exactly this size, so that AddressSanitizer sees the first byte that is read past it. */
        uint8_t *data = malloc(len ? len : 1);
        if (data == NULL || fread(data, 1, len, stdin) != len)
            return 2;
        putchar(fw_is_canonical(head[0], data, len) ? 1 : 0);
        free(data);
    }
    return ferror(stdin) || fflush(stdout) ? 2 : 0;
}
