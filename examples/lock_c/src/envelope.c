#include "envelope.h"

#include <string.h>

#include "faceward_proto/v1/envelope.pb.h"
#include "tables.h"

/* faceward_proto/envelope.py */
#define MAX_SIGNATURES 8u
#define MAX_SIGNATURES_BYTES 32768u

const fw_payload_kind FW_TEMPLATE_PAYLOAD = {"application/vnd.faceward.template.v1+protobuf", 65536};
const fw_payload_kind FW_GRANT_PAYLOAD = {"application/vnd.faceward.grant.v1+protobuf", 4096};
const fw_payload_kind FW_TRUST_PAYLOAD = {"application/vnd.faceward.trust.v1+protobuf", 262144};

/* SP and a length in decimal and SP, as DSSE's pre-authentication encoding has it. */
static void hash_length(br_sha256_context *hash, size_t length)
{
    char text[2 + 3 * sizeof length];
    char *at = text + sizeof text;
    *--at = ' ';
    do {
        *--at = (char)('0' + length % 10);
        length /= 10;
    } while (length != 0);
    *--at = ' ';
    br_sha256_update(hash, at, (size_t)(text + sizeof text - at));
}

/* "DSSEv1" SP length SP type SP length SP payload, hashed where it lies: it is never put together. */
static void hash_signed(const char *type, fw_view payload, uint8_t digest[FW_DIGEST_BYTES])
{
    br_sha256_context hash;
    br_sha256_init(&hash);
    br_sha256_update(&hash, "DSSEv1", 6);
    hash_length(&hash, strlen(type));
    br_sha256_update(&hash, type, strlen(type));
    hash_length(&hash, payload.len);
    br_sha256_update(&hash, payload.data, payload.len);
    br_sha256_out(&hash, digest);
}

static bool next_signature(fw_each *each, fw_view *signature)
{
    fw_view element;
    if (!fw_next(each, &element))
        return false;
    fw_Signature message = {0};
    if (!fw_decode(element, fw_Signature_fields, &message)) {
        each->whole = false;
        return false;
    }
    *signature = message.sig;
    return true;
}

bool fw_envelope_read(fw_view bytes, const fw_payload_kind *kind, fw_envelope *envelope)
{
    fw_Envelope message = {0};
    if (bytes.len > kind->max_bytes + MAX_SIGNATURES_BYTES ||
        !fw_read(FW_ENVELOPE, bytes, fw_Envelope_fields, &message) || !fw_is(message.payload_type, kind->type))
        return false;
    if (message.payload.len == 0 || message.payload.len > kind->max_bytes)
        return false;
    size_t count = 0;
    fw_each signatures = fw_each_of(bytes, FW_ENVELOPE_SIGNATURES);
    for (fw_view signature; next_signature(&signatures, &signature); count++) {
        if (signature.len != FW_ES256_BYTES && signature.len != FW_MLDSA65_BYTES) /* 64: Ed25519's too */
            return false;
    }
    if (!fw_seen_all(&signatures) || count == 0 || count > MAX_SIGNATURES)
        return false;
    envelope->bytes = bytes;
    envelope->payload = message.payload;
    hash_signed(kind->type, message.payload, envelope->digest);
    return true;
}

bool fw_envelope_is_signed_by(const fw_envelope *envelope, fw_view key)
{
    fw_each signatures = fw_each_of(envelope->bytes, FW_ENVELOPE_SIGNATURES);
    for (fw_view signature; next_signature(&signatures, &signature);) {
        if (fw_verifies(key, signature, envelope->digest))
            return true;
    }
    return false;
}
