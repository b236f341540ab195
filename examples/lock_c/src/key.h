/* Public keys and ES256 signatures, by BearSSL. */
#ifndef FACEWARD_KEY_H
#define FACEWARD_KEY_H

#include <bearssl.h>

#include "bounds.h"
#include "view.h"

#define FW_ES256_BYTES 64u
#define FW_MLDSA65_BYTES 3309u
#define FW_MAX_KEY_BYTES 4096u

typedef enum {
    FW_KEY_UNUSABLE,
    FW_KEY_P256,
    /* A good key that nothing here verifies with: BearSSL has neither Ed25519 nor ML-DSA-65. A rule that can't be met
     * without it is not met. */
    FW_KEY_OF_OTHERS
} fw_key_kind;

/* What key this SubjectPublicKeyInfo holds, written in the one way that DER has for it; P-256 points are on the curve. */
fw_key_kind fw_key_kind_of(fw_view der);

/* Whether this key made that signature (r || s) over a message of this SHA-256. Anything but a good one is false. */
bool fw_verifies(fw_view der, fw_view signature, const uint8_t digest[FW_DIGEST_BYTES]);

void fw_sha256(fw_view data, uint8_t digest[FW_DIGEST_BYTES]);

/* Whether `digest` is the SHA-256 of `data`. */
bool fw_is_digest_of(fw_view digest, fw_view data);

#endif
