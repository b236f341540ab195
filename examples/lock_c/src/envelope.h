/* The signed envelope (DSSE v1): bytes, what kind of bytes they are, and signatures over both. */
#ifndef FACEWARD_ENVELOPE_H
#define FACEWARD_ENVELOPE_H

#include "key.h"
#include "view.h"

typedef struct {
    const char *type;
    size_t max_bytes; /* of a payload of it */
} fw_payload_kind;

extern const fw_payload_kind FW_TEMPLATE_PAYLOAD, FW_GRANT_PAYLOAD, FW_TRUST_PAYLOAD;

typedef struct {
    fw_view bytes;
    fw_view payload;
    uint8_t digest[FW_DIGEST_BYTES]; /* what its signatures are over */
} fw_envelope;

/* The envelope that `bytes` are, in its canonical form, of this kind and within bounds. Nothing is verified yet. */
bool fw_envelope_read(fw_view bytes, const fw_payload_kind *kind, fw_envelope *envelope);

/* Whether one of its signatures is this key's. Key ids are not looked at. */
bool fw_envelope_is_signed_by(const fw_envelope *envelope, fw_view key);

#endif
