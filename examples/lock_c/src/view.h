/* Bytes that lie in the caller's buffer, and how messages are read from them without a copy. */
#ifndef FACEWARD_VIEW_H
#define FACEWARD_VIEW_H

#include <pb_decode.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data; /* NULL only where len is 0 */
    size_t len;
} fw_view;

/* nanopb's callback of every field of bytes, text or packed numbers: keeps where they lie. */
bool fw_take_view(pb_istream_t *in, pb_ostream_t *out, const pb_field_iter_t *field);

/* Decodes bytes that are the canonical form of fw_messages[message] (strict.h), and no others. `into` is nanopb's
 * structure for it, zeroed by the caller. Bytes that nobody vouched for come in through here alone. */
bool fw_read(uint8_t message, fw_view bytes, const pb_msgdesc_t *layout, void *into);

/* Decodes a message inside one that fw_read took: the strict reader went through it already. */
bool fw_decode(fw_view bytes, const pb_msgdesc_t *layout, void *into);

/* Walks a repeated field of a message that fw_read took:
 *
 *     fw_each each = fw_each_of(message, number);
 *     for (fw_view element; fw_next(&each, &element);)
 *         ...
 *     if (!fw_seen_all(&each))
 *         refuse;
 */
typedef struct {
    pb_istream_t left;
    uint32_t number;
    bool whole;
} fw_each;

fw_each fw_each_of(fw_view message, uint32_t number);
bool fw_next(fw_each *each, fw_view *element);
bool fw_seen_all(const fw_each *each); /* false where reading failed: what was not seen might have been a revocation */

bool fw_same(fw_view a, fw_view b);
bool fw_is(fw_view a, const char *text);

#endif
