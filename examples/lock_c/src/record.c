#include "record.h"

#include <string.h>

#include "bounds.h"
#include "tables.h"

#define VERSION 1u
#define CHALLENGE_BYTES 32u
#define MAX_EMBEDDING 1024u
#define MAX_RELIEF 1024u
#define MAX_GATES 16u
#define MAX_MEASURES 32u
#define MAX_CUE 128u
#define MAX_GRANT_ENVELOPE_BYTES 16384u
#define MAX_ATTEMPTS 10u
#define FLOAT_BYTES 4u

/* An embedding's length may differ from 1 by 0.001. These are the least and the greatest square of a length of which that
 * is true in double precision (a test finds them again), so that no square root is needed. */
#define MIN_SQUARE 0x1.fef9fcb0c026ep-1
#define MAX_SQUARE 0x1.008323358f2e0p+0

static bool is_absent_or_text(fw_view text, size_t limit)
{
    return text.len == 0 || fw_is_text(text, limit);
}

static bool is_absent_or_digest(fw_view digest)
{
    return digest.len == 0 || digest.len == FW_DIGEST_BYTES;
}

static double float_at(const uint8_t *bytes)
{
    const uint32_t bits =
        (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

/* In order, each square exact in a double: the sum of any verifier that adds so. */
static double square_of_length(fw_view embedding)
{
    double sum = 0.0;
    for (size_t at = 0; at < embedding.len; at += FLOAT_BYTES) {
        const double value = float_at(embedding.data + at);
        sum += value * value;
    }
    return sum;
}

bool fw_next_pose(fw_each *each, fw_PoseTemplate *pose)
{
    fw_view bytes;
    memset(pose, 0, sizeof *pose);
    if (!fw_next(each, &bytes))
        return false;
    each->whole = fw_decode(bytes, fw_PoseTemplate_fields, pose);
    return each->whole;
}

bool fw_next_gate(fw_each *each, fw_GateResult *gate, fw_view *bytes)
{
    memset(gate, 0, sizeof *gate);
    if (!fw_next(each, bytes))
        return false;
    each->whole = fw_decode(*bytes, fw_GateResult_fields, gate);
    return each->whole;
}

static bool are_poses(fw_view record)
{
    size_t count = 0, length = 0;
    uint32_t seen = 0;
    fw_each poses = fw_each_of(record, FW_TEMPLATE_RECORD_POSES);
    for (fw_PoseTemplate pose; fw_next_pose(&poses, &pose); count++) {
        if (count == 0)
            length = pose.embedding.len;
        const uint32_t bit = UINT32_C(1) << pose.pose; /* a known value of the enum: at most 6 */
        if (count == FW_MAX_POSES || pose.pose == fw_Pose_POSE_UNSPECIFIED || (seen & bit))
            return false;
        seen |= bit;
        if (length == 0 || length > MAX_EMBEDDING * FLOAT_BYTES || pose.embedding.len != length)
            return false;
        const double square = square_of_length(pose.embedding);
        if (!(square >= MIN_SQUARE && square <= MAX_SQUARE))
            return false;
        if (pose.flood_digest.len != FW_DIGEST_BYTES || !is_absent_or_digest(pose.depth_digest))
            return false;
    }
    return fw_seen_all(&poses) && count > 0;
}

static bool are_measures(fw_view gate)
{
    size_t count = 0;
    fw_each measures = fw_each_of(gate, FW_GATE_RESULT_MEASURES);
    for (fw_view bytes; fw_next(&measures, &bytes); count++) {
        fw_Measure measure = {0};
        if (count == MAX_MEASURES || !fw_decode(bytes, fw_Measure_fields, &measure))
            return false;
        if (!fw_is_text(measure.name, FW_MAX_TEXT) || !is_absent_or_text(measure.unit, FW_MAX_TEXT))
            return false;
        if (measure.has_limit != (measure.sense != fw_Sense_SENSE_UNSPECIFIED))
            return false;
    }
    return fw_seen_all(&measures);
}

/* Whether `before` sorts before `after`, by code points. */
static bool is_before(fw_view before, fw_view after)
{
    const size_t shorter = before.len < after.len ? before.len : after.len;
    const int order = memcmp(before.data, after.data, shorter);
    return order < 0 || (order == 0 && before.len < after.len);
}

static bool are_gates(fw_view record)
{
    size_t count = 0;
    fw_view last = {0}, bytes;
    fw_each gates = fw_each_of(record, FW_TEMPLATE_RECORD_GATES);
    for (fw_GateResult gate; fw_next_gate(&gates, &gate, &bytes); count++) {
        if (count == MAX_GATES || !fw_is_identifier(gate.name) || !fw_is_identifier(gate.version))
            return false;
        if (count > 0 && !is_before(last, gate.name))
            return false;
        last = gate.name;
        if (!fw_is_text(gate.distribution, FW_MAX_TEXT) || gate.outcome == fw_Outcome_OUTCOME_UNSPECIFIED)
            return false;
        if (!is_absent_or_text(gate.cue, MAX_CUE) || !are_measures(bytes))
            return false;
    }
    return fw_seen_all(&gates) && count > 0;
}

static bool is_sensor(const fw_SensorRecord *sensor)
{
    if (!fw_is_text(sensor->vendor, FW_MAX_TEXT) || !fw_is_text(sensor->model, FW_MAX_TEXT) ||
        !fw_is_text(sensor->serial, FW_MAX_TEXT) || !fw_is_text(sensor->firmware_version, FW_MAX_TEXT) ||
        !is_absent_or_text(sensor->hardware_revision, FW_MAX_TEXT))
        return false;
    if (sensor->kind == fw_SensorKind_SENSOR_KIND_UNSPECIFIED ||
        sensor->attestation == fw_Attestation_ATTESTATION_UNSPECIFIED)
        return false;
    if (sensor->attestation == fw_Attestation_ATTESTATION_NONE)
        return sensor->evidence.len == 0 && sensor->evidence_kind.len == 0;
    return sensor->evidence.len > 0 && sensor->evidence.len <= FW_MAX_EVIDENCE_BYTES &&
           fw_is_identifier(sensor->evidence_kind);
}

static bool is_capture(const fw_CaptureRecord *capture)
{
    return fw_is_identifier(capture->capture_id) && capture->digest.len == FW_DIGEST_BYTES &&
           capture->nonce.len >= FW_MIN_NONCE_BYTES && capture->nonce.len <= FW_MAX_NONCE_BYTES &&
           capture->schedule_digest.len == FW_DIGEST_BYTES && capture->slots >= 1 && capture->slots <= FW_MAX_SLOTS;
}

bool fw_record_read(fw_view payload, fw_TemplateRecord *into)
{
    if (!fw_read(FW_TEMPLATE_RECORD, payload, fw_TemplateRecord_fields, into))
        return false;
    return into->version == VERSION && into->record_id.len == FW_ID_BYTES && into->subject.len == FW_DIGEST_BYTES &&
           fw_is_identifier(into->tenant) && fw_is_identifier(into->lock_group) && fw_is_identifier(into->sdk_version) &&
           into->epoch < FW_MAX_EPOCH && fw_are_times(into->issued_at_s, into->expires_at_s) &&
           fw_is_identifier(into->extractor.name) && fw_is_identifier(into->extractor.version) &&
           into->policy_hash.len == FW_DIGEST_BYTES && is_capture(&into->capture) && into->grant.len > 0 &&
           into->grant.len <= MAX_GRANT_ENVELOPE_BYTES && into->outcome != fw_Outcome_OUTCOME_UNSPECIFIED &&
           is_sensor(&into->sensor) && are_poses(payload) && into->relief.len <= MAX_RELIEF * FLOAT_BYTES &&
           are_gates(payload);
}

bool fw_grant_read(fw_view payload, fw_Grant *into)
{
    if (!fw_read(FW_GRANT, payload, fw_Grant_fields, into))
        return false;
    if (into->version != VERSION || into->grant_id.len != FW_ID_BYTES || into->challenge.len != CHALLENGE_BYTES ||
        into->purpose == fw_GrantPurpose_GRANT_PURPOSE_UNSPECIFIED || !fw_is_identifier(into->tenant) ||
        !fw_is_identifier(into->lock_group) || !is_absent_or_digest(into->host_key) ||
        !is_absent_or_text(into->sensor_serial, FW_MAX_TEXT) || !is_absent_or_digest(into->sensor_key) ||
        !fw_are_times(into->issued_at_s, into->expires_at_s))
        return false;
    if (into->purpose == fw_GrantPurpose_GRANT_PURPOSE_CLEAR_LOCKOUT)
        return into->subject.len == 0 && into->max_attempts == 0;
    return into->subject.len == FW_DIGEST_BYTES && into->max_attempts >= 1 && into->max_attempts <= MAX_ATTEMPTS;
}
