#include "view.h"

#include <string.h>

#include "strict.h"

bool fw_take_view(pb_istream_t *in, pb_ostream_t *out, const pb_field_iter_t *field)
{
    (void)out;
    fw_view *view = field->pData;
    /* A stream over a buffer has its place in that buffer as its state (pb_istream_from_buffer). */
    view->data = in->state;
    view->len = in->bytes_left;
    return pb_read(in, NULL, in->bytes_left);
}

bool fw_read(uint8_t message, fw_view bytes, const pb_msgdesc_t *layout, void *into)
{
    return fw_is_canonical(message, bytes.data, bytes.len) && fw_decode(bytes, layout, into);
}

bool fw_decode(fw_view bytes, const pb_msgdesc_t *layout, void *into)
{
    pb_istream_t stream = pb_istream_from_buffer(bytes.data, bytes.len);
    return pb_decode(&stream, layout, into);
}

fw_each fw_each_of(fw_view message, uint32_t number)
{
    return (fw_each){pb_istream_from_buffer(message.data, message.len), number, true};
}

bool fw_next(fw_each *each, fw_view *element)
{
    for (;;) {
        pb_wire_type_t wire_type;
        uint32_t number;
        bool end;
        if (!pb_decode_tag(&each->left, &wire_type, &number, &end)) {
            each->whole = end;
            return false;
        }
        if (number != each->number || wire_type != PB_WT_STRING) {
            if (pb_skip_field(&each->left, wire_type))
                continue;
            each->whole = false;
            return false;
        }
        pb_istream_t body;
        if (!pb_make_string_substream(&each->left, &body)) {
            each->whole = false;
            return false;
        }
        *element = (fw_view){body.state, body.bytes_left};
        each->whole = pb_read(&body, NULL, body.bytes_left) && pb_close_string_substream(&each->left, &body);
        return each->whole;
    }
}

bool fw_seen_all(const fw_each *each)
{
    return each->whole;
}

bool fw_same(fw_view a, fw_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool fw_is(fw_view a, const char *text)
{
    return fw_same(a, (fw_view){(const uint8_t *)text, strlen(text)});
}
