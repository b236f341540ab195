/* Says whether bytes are the one way to write a message, before anything decodes them.
 *
 * nanopb, like every protobuf decoder, keeps the last of a field that was sent twice, skips fields that it doesn't know
 * and takes overlong numbers. Two decoders can so read two things in the same signed bytes. This is the C twin of
 * faceward_proto/reader.py; a test runs both over the same bytes and asks for the same answer.
 *
 * The tables come from the .proto files (tools/tables.py) and lie in flash.
 */
#ifndef FACEWARD_STRICT_H
#define FACEWARD_STRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_MAX_DEPTH 8 /* messages within messages, as reader.py */

#define FW_REPEATED 1u
#define FW_PACKED 2u
#define FW_PRESENCE 4u /* absent differs from zero: a message, a member of a oneof, or optional */

typedef struct {
    uint16_t number;
    uint8_t type;   /* FieldDescriptorProto.Type */
    uint8_t flags;
    uint8_t oneof;  /* 0: in none; else a number of its own within the message */
    uint8_t detail; /* of a message: which of fw_messages; of an enum: which of fw_enums */
} fw_field;

typedef struct {
    const fw_field *fields; /* in order of number */
    uint8_t count;
} fw_message;

typedef struct {
    const int32_t *values;
    uint8_t count;
} fw_enum;

extern const fw_message fw_messages[];
extern const fw_enum fw_enums[];

/* True for the canonical form of fw_messages[message], and for nothing else:
 *
 * 1. messages nested at most FW_MAX_DEPTH deep (the caller bounds `len`);
 * 2. every field known, of its own wire type, in rising order of field numbers, a singular one at most once, of a oneof
 *    at most one;
 * 3. numbers in the fewest bytes and within the field's range; enum values known;
 * 4. no default spelt out where the field has no presence; repeated numbers packed, in one piece, never empty;
 * 5. strings are UTF-8; floating-point numbers are finite;
 * 6. nothing left over.
 */
bool fw_is_canonical(uint8_t message, const uint8_t *data, size_t len);

#endif
