#include "attestation.h"

#include <string.h>

#include "bounds.h"
#include "faceward_proto/v1/attestation.pb.h"
#include "key.h"
#include "record.h"
#include "tables.h"
#include "truststore.h"

#define MAX_STATEMENT_BYTES 2048u

#define MODEL_LABEL "faceward.sensor.model.v1"
#define DEVICE_LABEL "faceward.sensor.device.v1"
#define FIRMWARE_LABEL "faceward.sensor.firmware.v1"
#define CAPTURE_LABEL "faceward.sensor.capture.v1"

/* SHA-256 of the published simulator root's SubjectPublicKeyInfo: a simulator's, whatever a trust store says of it. */
static const uint8_t SIMULATOR_ROOT[FW_DIGEST_BYTES] = {
    0x28, 0x6C, 0xB2, 0xC4, 0x86, 0x2D, 0xB1, 0x5B, 0x22, 0x08, 0x78, 0xE3, 0x0B, 0x6A, 0x5A, 0x74,
    0xB9, 0x07, 0x41, 0xFF, 0x74, 0xB7, 0x27, 0x28, 0x10, 0x4A, 0x22, 0x3B, 0xBF, 0xD3, 0xD7, 0xF9};

/* A signature is over the label, a NUL and the statement's bytes as they travel. */
static void hash_statement(const char *label, fw_view statement, uint8_t digest[FW_DIGEST_BYTES])
{
    br_sha256_context hash;
    br_sha256_init(&hash);
    br_sha256_update(&hash, label, strlen(label) + 1);
    br_sha256_update(&hash, statement.data, statement.len);
    br_sha256_out(&hash, digest);
}

/* Verifies a statement, then reads those same bytes. */
static bool read_signed(fw_view key, const char *label, const fw_SignedStatement *link, uint8_t message,
                        const pb_msgdesc_t *layout, void *into)
{
    uint8_t digest[FW_DIGEST_BYTES];
    hash_statement(label, link->statement, digest);
    return fw_verifies(key, link->signature, digest) && link->statement.len <= MAX_STATEMENT_BYTES &&
           fw_read(message, link->statement, layout, into);
}

/* Looks for the roots that signed the model's statement; more than one may have. */
static fw_result certify(const fw_trust *trust, const fw_SignedStatement *model, bool *simulated)
{
    uint8_t digest[FW_DIGEST_BYTES];
    hash_statement(MODEL_LABEL, model->statement, digest);
    bool is_signed = false, is_trusted = false;
    *simulated = false;
    fw_each roots = fw_each_of(trust->statement, FW_TRUST_STATEMENT_SENSOR_ROOTS);
    for (fw_view bytes; fw_next(&roots, &bytes);) {
        fw_SensorRoot root = {0};
        if (!fw_decode(bytes, fw_SensorRoot_fields, &root))
            return FW_UNTRUSTED_SENSOR;
        if (!fw_verifies(root.key, model->signature, digest))
            continue;
        is_signed = true;
        if (fw_is_key_revoked(trust, root.key))
            continue;
        is_trusted = true;
        if (root.simulated || fw_is_digest_of((fw_view){SIMULATOR_ROOT, sizeof SIMULATOR_ROOT}, root.key))
            *simulated = true;
    }
    if (!fw_seen_all(&roots) || !is_signed)
        return FW_UNTRUSTED_SENSOR;
    return is_trusted ? FW_ACCEPTED : FW_REVOKED;
}

static bool reaches_floor(const fw_trust *trust, const fw_ModelStatement *model, uint32_t security_version)
{
    fw_each floors = fw_each_of(trust->statement, FW_TRUST_STATEMENT_FIRMWARE);
    for (fw_view bytes; fw_next(&floors, &bytes);) {
        fw_FirmwareFloor floor = {0};
        if (!fw_decode(bytes, fw_FirmwareFloor_fields, &floor))
            return false;
        if (fw_same(floor.vendor, model->vendor) && fw_same(floor.model, model->model) &&
            security_version < floor.minimum_security_version)
            return false;
    }
    return fw_seen_all(&floors);
}

/* Whether the next key frame of a statement is this one. */
static bool next_frame_is(fw_each *frames, fw_view digest)
{
    fw_view frame;
    return fw_next(frames, &frame) && frame.len == FW_DIGEST_BYTES && fw_same(frame, digest);
}

/* The key frames are those of the record's poses, in its order: flood and then depth (where there is one) of each. */
static bool are_key_frames(fw_view statement, fw_view payload)
{
    fw_each frames = fw_each_of(statement, FW_CAPTURE_STATEMENT_KEY_FRAMES);
    fw_each poses = fw_each_of(payload, FW_TEMPLATE_RECORD_POSES);
    for (fw_PoseTemplate pose; fw_next_pose(&poses, &pose);) {
        if (!next_frame_is(&frames, pose.flood_digest))
            return false;
        if (pose.depth_digest.len > 0 && !next_frame_is(&frames, pose.depth_digest))
            return false;
    }
    fw_view one_more;
    return fw_seen_all(&poses) && !fw_next(&frames, &one_more) && fw_seen_all(&frames);
}

fw_result fw_sensor_prove(const fw_trust *trust, const fw_TemplateRecord *record, fw_view payload, fw_sensor *sensor)
{
    fw_SensorEvidence evidence = {0};
    fw_SensorChain chain = {0};
    fw_ModelStatement model = {0};
    fw_DeviceStatement device = {0};
    fw_FirmwareStatement firmware = {0};
    fw_CaptureStatement capture = {0};
    /* 1 */
    if (record->sensor.evidence.len > FW_MAX_EVIDENCE_BYTES ||
        !fw_read(FW_SENSOR_EVIDENCE, record->sensor.evidence, fw_SensorEvidence_fields, &evidence) ||
        !fw_read(FW_SENSOR_CHAIN, evidence.chain, fw_SensorChain_fields, &chain))
        return FW_UNTRUSTED_SENSOR;
    /* 2, 7 */
    const fw_result certified = certify(trust, &chain.model, &sensor->simulated);
    if (certified != FW_ACCEPTED)
        return certified;
    if (chain.model.statement.len > MAX_STATEMENT_BYTES ||
        !fw_read(FW_MODEL_STATEMENT, chain.model.statement, fw_ModelStatement_fields, &model) ||
        !fw_is_text(model.vendor, FW_MAX_TEXT) || !fw_is_text(model.model, FW_MAX_TEXT) ||
        fw_key_kind_of(model.key) != FW_KEY_P256)
        return FW_UNTRUSTED_SENSOR;
    if (!read_signed(model.key, DEVICE_LABEL, &chain.device, FW_DEVICE_STATEMENT, fw_DeviceStatement_fields, &device) ||
        !fw_is_text(device.serial, FW_MAX_TEXT) || fw_key_kind_of(device.key) != FW_KEY_P256)
        return FW_UNTRUSTED_SENSOR;
    if (!read_signed(device.key, FIRMWARE_LABEL, &chain.firmware, FW_FIRMWARE_STATEMENT, fw_FirmwareStatement_fields,
                     &firmware) ||
        !fw_is_text(firmware.version, FW_MAX_TEXT) || firmware.firmware_hash.len != FW_DIGEST_BYTES ||
        fw_key_kind_of(firmware.signing_key) != FW_KEY_P256 || fw_key_kind_of(firmware.agreement_key) != FW_KEY_P256)
        return FW_UNTRUSTED_SENSOR;
    /* 3 */
    if (fw_is_key_revoked(trust, model.key) || fw_is_key_revoked(trust, device.key) ||
        fw_is_key_revoked(trust, firmware.signing_key) || fw_is_key_revoked(trust, firmware.agreement_key))
        return FW_REVOKED;
    /* 4 */
    if (!reaches_floor(trust, &model, firmware.security_version))
        return FW_UNTRUSTED_SENSOR;
    /* 2 */
    if (!read_signed(firmware.signing_key, CAPTURE_LABEL, &evidence.capture, FW_CAPTURE_STATEMENT,
                     fw_CaptureStatement_fields, &capture))
        return FW_UNTRUSTED_SENSOR;
    /* 5: the record's own were held to their bounds, so what is the same is within them */
    if (!fw_same(capture.nonce, record->capture.nonce) ||
        !fw_same(capture.schedule_digest, record->capture.schedule_digest) ||
        !fw_same(capture.capture_digest, record->capture.digest) || capture.slots != record->capture.slots ||
        !are_key_frames(evidence.capture.statement, payload) || !fw_is_digest_of(capture.grant_digest, record->grant))
        return FW_UNTRUSTED_SENSOR;
    /* 6 */
    if (!fw_same(model.vendor, record->sensor.vendor) || !fw_same(model.model, record->sensor.model) ||
        !fw_same(device.serial, record->sensor.serial) || !fw_same(firmware.version, record->sensor.firmware_version))
        return FW_UNTRUSTED_SENSOR;
    sensor->device_key = device.key;
    return FW_ACCEPTED;
}
