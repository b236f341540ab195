#include "key.h"

#include <string.h>

/* The curve: constant time doesn't matter for public data, so take what is small and quick on the core. BearSSL's m15 needs
 * no 32 x 32 -> 64 multiplication (Cortex-M0), m31 does (Cortex-M3 and up). */
#ifdef FW_SMALL_MULTIPLIER
#define CURVE (&br_ec_p256_m15)
#define VERIFY br_ecdsa_i15_vrfy_raw
#else
#define CURVE (&br_ec_p256_m31)
#define VERIFY br_ecdsa_i31_vrfy_raw
#endif

#define POINT_BYTES 65u

/* SubjectPublicKeyInfo up to the key's own bytes (RFC 5480, RFC 8410, RFC 9881). */
static const uint8_t P256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
                               0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
static const uint8_t ED25519[] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
static const uint8_t MLDSA65[] = {0x30, 0x82, 0x07, 0xB2, 0x30, 0x0B, 0x06, 0x09, 0x60, 0x86, 0x48,
                                  0x01, 0x65, 0x03, 0x04, 0x03, 0x12, 0x03, 0x82, 0x07, 0xA1, 0x00};

static bool starts_with(fw_view der, const uint8_t *head, size_t head_len, size_t key_len)
{
    return der.len == head_len + key_len && memcmp(der.data, head, head_len) == 0;
}

static bool is_p256(fw_view der)
{
    return starts_with(der, P256, sizeof P256, POINT_BYTES) && der.data[sizeof P256] == 0x04;
}

fw_key_kind fw_key_kind_of(fw_view der)
{
    if (is_p256(der)) {
        uint8_t point[POINT_BYTES];
        const uint8_t one = 1;
        memcpy(point, der.data + sizeof P256, POINT_BYTES);
        /* BearSSL has no function that asks whether a point is on the curve, but multiplies none that isn't. */
        return CURVE->mul(point, POINT_BYTES, &one, 1, BR_EC_secp256r1) == 1 ? FW_KEY_P256 : FW_KEY_UNUSABLE;
    }
    if (starts_with(der, ED25519, sizeof ED25519, 32) || starts_with(der, MLDSA65, sizeof MLDSA65, 1952))
        return FW_KEY_OF_OTHERS;
    return FW_KEY_UNUSABLE;
}

bool fw_verifies(fw_view der, fw_view signature, const uint8_t digest[FW_DIGEST_BYTES])
{
    if (!is_p256(der) || signature.len != FW_ES256_BYTES)
        return false;
    /* BearSSL does not write to it; its structure has no const for it. */
    const br_ec_public_key key = {BR_EC_secp256r1, (unsigned char *)(uintptr_t)(der.data + sizeof P256), POINT_BYTES};
    return VERIFY(CURVE, digest, FW_DIGEST_BYTES, &key, signature.data, signature.len) == 1;
}

void fw_sha256(fw_view data, uint8_t digest[FW_DIGEST_BYTES])
{
    br_sha256_context hash;
    br_sha256_init(&hash);
    br_sha256_update(&hash, data.data, data.len);
    br_sha256_out(&hash, digest);
}

bool fw_is_digest_of(fw_view digest, fw_view data)
{
    uint8_t found[FW_DIGEST_BYTES];
    fw_sha256(data, found);
    return digest.len == sizeof found && memcmp(digest.data, found, sizeof found) == 0;
}
