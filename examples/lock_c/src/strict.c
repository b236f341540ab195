#include "strict.h"

enum { TYPE_DOUBLE = 1, TYPE_FLOAT = 2, TYPE_INT64 = 3, TYPE_UINT64 = 4, TYPE_INT32 = 5, TYPE_FIXED64 = 6,
       TYPE_FIXED32 = 7, TYPE_BOOL = 8, TYPE_STRING = 9, TYPE_MESSAGE = 11, TYPE_BYTES = 12, TYPE_UINT32 = 13,
       TYPE_ENUM = 14, TYPE_SFIXED32 = 15, TYPE_SFIXED64 = 16, TYPE_SINT32 = 17, TYPE_SINT64 = 18 };

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2, WIRE_FIXED32 = 5, WIRE_NONE = 8 };

/* What is left to read: of the message that `at` stands in, or of a packed field. */
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} reading;

/* One message that is being read. Kept in an array and not on the call stack: its depth is known at compile time. */
typedef struct {
    const fw_message *message;
    const uint8_t *end;
    uint32_t last;   /* number of the field before */
    uint32_t oneofs; /* one bit for each that has a member already */
} level;

static uint8_t wire_type_of(uint8_t type)
{
    switch (type) {
    case TYPE_DOUBLE: case TYPE_FIXED64: case TYPE_SFIXED64:
        return WIRE_FIXED64;
    case TYPE_FLOAT: case TYPE_FIXED32: case TYPE_SFIXED32:
        return WIRE_FIXED32;
    case TYPE_STRING: case TYPE_BYTES: case TYPE_MESSAGE:
        return WIRE_LENGTH;
    case TYPE_INT64: case TYPE_UINT64: case TYPE_INT32: case TYPE_BOOL: case TYPE_UINT32: case TYPE_ENUM:
    case TYPE_SINT32: case TYPE_SINT64:
        return WIRE_VARINT;
    default:
        return WIRE_NONE;
    }
}

static bool read_varint(reading *from, uint64_t *value)
{
    *value = 0;
    for (unsigned index = 0; index < 10; index++) {
        if (from->at == from->end)
            return false;
        const uint8_t byte = *from->at++;
        if (index == 9 && byte > 1) /* past 64 bits */
            return false;
        *value |= (uint64_t)(byte & 0x7F) << (7 * index);
        if (byte < 0x80)
            return index == 0 || byte != 0; /* a last byte of zero could have been left out */
    }
    return false;
}

static bool is_known(uint8_t enumeration, int64_t value)
{
    const fw_enum *known = &fw_enums[enumeration];
    for (uint8_t index = 0; index < known->count; index++) {
        if (known->values[index] == value)
            return true;
    }
    return false;
}

static bool is_varint_in_range(const fw_field *field, uint64_t value)
{
    const int64_t number = (int64_t)value;
    switch (field->type) {
    case TYPE_BOOL:
        return value < 2;
    case TYPE_UINT32: case TYPE_SINT32: /* zigzag, so unsigned here */
        return value <= UINT32_MAX;
    case TYPE_INT32: /* negative ones are written as 64 bits */
        return number >= INT32_MIN && number <= INT32_MAX;
    case TYPE_ENUM:
        return is_known(field->detail, number);
    default:
        return true;
    }
}

/* The bits are looked at, not the value: a core without a floating-point unit needs none here. */
static bool is_finite(const uint8_t *little_endian, size_t width)
{
    const unsigned high = (unsigned)little_endian[width - 1] << 8 | little_endian[width - 2];
    return width == 4 ? (high & 0x7F80u) != 0x7F80u : (high & 0x7FF0u) != 0x7FF0u;
}

static bool read_fixed(reading *from, const fw_field *field, size_t width, bool *is_zero)
{
    if ((size_t)(from->end - from->at) < width)
        return false;
    if ((field->type == TYPE_FLOAT || field->type == TYPE_DOUBLE) && !is_finite(from->at, width))
        return false;
    uint8_t any = 0;
    for (size_t index = 0; index < width; index++)
        any |= from->at[index];
    *is_zero = any == 0; /* -0.0 is not zero here: its sign would be lost */
    from->at += width;
    return true;
}

static bool read_number(reading *from, const fw_field *field, bool may_be_zero)
{
    bool is_zero = false;
    const uint8_t wire_type = wire_type_of(field->type);
    if (wire_type == WIRE_VARINT) {
        uint64_t value;
        if (!read_varint(from, &value) || !is_varint_in_range(field, value))
            return false;
        is_zero = value == 0;
    } else if (!read_fixed(from, field, wire_type == WIRE_FIXED32 ? 4 : 8, &is_zero)) {
        return false;
    }
    return may_be_zero || !is_zero;
}

static bool is_packed(const fw_field *field, reading body)
{
    if (body.at == body.end)
        return false;
    while (body.at != body.end) {
        if (!read_number(&body, field, true))
            return false;
    }
    return true;
}

/* The Unicode Standard, table 3-7: no overlong form, no surrogate, nothing past U+10FFFF. */
static bool is_utf8(reading body)
{
    while (body.at != body.end) {
        const uint8_t lead = *body.at++;
        if (lead < 0x80)
            continue;
        uint8_t low = 0x80, high = 0xBF;
        int more;
        if (lead >= 0xC2 && lead <= 0xDF) {
            more = 1;
        } else if (lead >= 0xE0 && lead <= 0xEF) {
            more = 2;
            low = lead == 0xE0 ? 0xA0 : 0x80;
            high = lead == 0xED ? 0x9F : 0xBF;
        } else if (lead >= 0xF0 && lead <= 0xF4) {
            more = 3;
            low = lead == 0xF0 ? 0x90 : 0x80;
            high = lead == 0xF4 ? 0x8F : 0xBF;
        } else {
            return false;
        }
        while (more-- > 0) {
            if (body.at == body.end || *body.at < low || *body.at > high)
                return false;
            body.at++;
            low = 0x80;
            high = 0xBF;
        }
    }
    return true;
}

static const fw_field *field_of(const fw_message *message, uint64_t number)
{
    for (uint8_t index = 0; index < message->count; index++) {
        if (message->fields[index].number == number)
            return &message->fields[index];
    }
    return NULL;
}

/* The tag's field, if it may stand here. */
static const fw_field *next_field(level *in, reading *from)
{
    uint64_t tag;
    if (!read_varint(from, &tag))
        return NULL;
    const fw_field *field = field_of(in->message, tag >> 3);
    if (field == NULL || field->number < in->last)
        return NULL;
    const bool many = (field->flags & FW_REPEATED) && !(field->flags & FW_PACKED);
    if (field->number == in->last && !many)
        return NULL;
    in->last = field->number;
    if (field->oneof != 0) {
        const uint32_t bit = UINT32_C(1) << (field->oneof - 1);
        if (in->oneofs & bit)
            return NULL;
        in->oneofs |= bit;
    }
    const uint8_t expected = (field->flags & FW_PACKED) ? (uint8_t)WIRE_LENGTH : wire_type_of(field->type);
    return (tag & 7) == expected ? field : NULL;
}

bool fw_is_canonical(uint8_t message, const uint8_t *data, size_t len)
{
    if (len == 0) /* every field at its default; `data` may be NULL */
        return true;
    level levels[FW_MAX_DEPTH];
    unsigned depth = 0;
    reading from = {data, data + len};
    levels[0] = (level){&fw_messages[message], from.end, 0, 0};

    for (;;) {
        while (from.at == levels[depth].end) { /* 6: a body ends where its length says, or reading fails before */
            if (depth == 0)
                return true;
            depth--;
        }
        from.end = levels[depth].end;
        const fw_field *field = next_field(&levels[depth], &from); /* 2 */
        if (field == NULL)
            return false;
        const bool bare = !(field->flags & (FW_REPEATED | FW_PRESENCE));
        const bool packed = (field->flags & FW_PACKED) != 0;
        if (!packed && wire_type_of(field->type) != WIRE_LENGTH) {
            if (!read_number(&from, field, !bare)) /* 3, 4, 5 */
                return false;
            continue;
        }
        uint64_t length;
        if (!read_varint(&from, &length) || length > (uint64_t)(from.end - from.at))
            return false;
        const reading body = {from.at, from.at + (size_t)length};
        if (!packed && field->type == TYPE_MESSAGE) {
            if (++depth == FW_MAX_DEPTH) /* 1 */
                return false;
            levels[depth] = (level){&fw_messages[field->detail], body.end, 0, 0};
            continue;
        }
        if (packed && !is_packed(field, body)) /* 3, 4, 5 */
            return false;
        if (bare && length == 0) /* 4 */
            return false;
        if (field->type == TYPE_STRING && !is_utf8(body)) /* 5 */
            return false;
        from.at = body.end;
    }
}
