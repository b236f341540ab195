#include <string.h>

#include "attestation.h"
#include "bounds.h"
#include "envelope.h"
#include "faceward_lock.h"
#include "record.h"
#include "tables.h"
#include "truststore.h"

#define CLOCK_SKEW_S 120u /* two unsynchronised quartz clocks (100 ppm) drift apart so far in a week */
#define EVIDENCE_KIND "faceward.sensor.v1"

const char *fw_result_name(fw_result result)
{
    switch (result) {
    case FW_ACCEPTED:
        return "accepted";
    case FW_UNSUPPORTED_RECORD:
        return "unsupported-record";
    case FW_SIGNATURE_INVALID:
        return "signature-invalid";
    case FW_UNTRUSTED_KEY:
        return "untrusted-key";
    case FW_WRONG_CONTEXT:
        return "wrong-context";
    case FW_EXPIRED:
        return "expired";
    case FW_REVOKED:
        return "revoked";
    case FW_NOT_SHOWN_LIVE:
        return "not-shown-live";
    case FW_UNTRUSTED_SENSOR:
        return "untrusted-sensor";
    case FW_PERMISSION_INVALID:
        return "permission-invalid";
    case FW_GRANT_USED:
        return "grant-used";
    case FW_ROLLED_BACK:
        return "rolled-back";
    default:
        return "verification";
    }
}

static bool is_in_time(uint64_t issued_at_s, uint64_t expires_at_s, uint64_t at_s)
{
    const bool too_early = at_s < issued_at_s && issued_at_s - at_s > CLOCK_SKEW_S;
    return !too_early && at_s < expires_at_s;
}

static bool is_for(const fw_trust *trust, fw_view tenant, fw_view lock_group)
{
    return fw_same(tenant, trust->head.tenant) && fw_same(lock_group, trust->head.lock_group);
}

static bool is_taken_version(const fw_ComponentFloor *floor, fw_view version)
{
    return floor->minimum_version.len == 0 || fw_reaches(version, floor->minimum_version);
}

/* Whether a gate of the record has this floor's name and reaches it. */
static bool has_gate(fw_view payload, const fw_ComponentFloor *floor)
{
    fw_view bytes;
    fw_each gates = fw_each_of(payload, FW_TEMPLATE_RECORD_GATES);
    for (fw_GateResult gate; fw_next_gate(&gates, &gate, &bytes);) {
        if (fw_same(gate.name, floor->name))
            return is_taken_version(floor, gate.version);
    }
    return false;
}

static bool has_pinned_extractor(const fw_trust *trust, const fw_Extractor *extractor)
{
    bool any_is_taken = true;
    fw_each floors = fw_each_of(trust->statement, FW_TRUST_STATEMENT_EXTRACTORS);
    for (fw_view bytes; fw_next(&floors, &bytes);) {
        fw_ComponentFloor floor = {0};
        any_is_taken = false;
        if (!fw_decode(bytes, fw_ComponentFloor_fields, &floor))
            return false;
        if (fw_same(floor.name, extractor->name) && is_taken_version(&floor, extractor->version))
            return true;
    }
    return any_is_taken && fw_seen_all(&floors);
}

static bool has_pinned_policy(const fw_trust *trust, fw_view policy_hash)
{
    bool any_is_taken;
    const fw_holding holding = fw_list_holds(trust, FW_TRUST_STATEMENT_POLICY_HASHES, policy_hash, &any_is_taken);
    return holding == FW_HOLDS || (holding == FW_HOLDS_NOT && any_is_taken);
}

static fw_result shown_live(const fw_trust *trust, const fw_TemplateRecord *record, fw_view payload)
{
    if (record->outcome != fw_Outcome_OUTCOME_LIVE)
        return FW_NOT_SHOWN_LIVE;
    fw_view bytes;
    fw_each gates = fw_each_of(payload, FW_TEMPLATE_RECORD_GATES);
    for (fw_GateResult gate; fw_next_gate(&gates, &gate, &bytes);) {
        if (gate.outcome != fw_Outcome_OUTCOME_LIVE)
            return FW_NOT_SHOWN_LIVE;
    }
    fw_each floors = fw_each_of(trust->statement, FW_TRUST_STATEMENT_GATES);
    while (fw_next(&floors, &bytes)) {
        fw_ComponentFloor floor = {0};
        if (!fw_decode(bytes, fw_ComponentFloor_fields, &floor) || !has_gate(payload, &floor))
            return FW_NOT_SHOWN_LIVE;
    }
    if (!fw_seen_all(&gates) || !fw_seen_all(&floors) || !has_pinned_policy(trust, record->policy_hash))
        return FW_NOT_SHOWN_LIVE;
    return has_pinned_extractor(trust, &record->extractor) ? FW_ACCEPTED : FW_UNSUPPORTED_RECORD;
}

/* The sensor that the record's evidence proves; none where there is no evidence and none is asked for. */
static fw_result prove_sensor(const fw_trust *trust, fw_template *found, fw_sensor *sensor)
{
    const fw_SensorRecord *claimed = &found->record.sensor;
    if (claimed->attestation == fw_Attestation_ATTESTATION_NONE)
        return trust->head.allow_unattested ? FW_ACCEPTED : FW_UNTRUSTED_SENSOR;
    /* Evidence of a vendor's own kind would be judged here; none is known. */
    if (!fw_is(claimed->evidence_kind, EVIDENCE_KIND))
        return FW_UNTRUSTED_SENSOR;
    const fw_result proven = fw_sensor_prove(trust, &found->record, found->payload, sensor);
    if (proven != FW_ACCEPTED)
        return proven;
    if (sensor->simulated != (claimed->attestation == fw_Attestation_ATTESTATION_SIMULATED))
        return FW_UNTRUSTED_SENSOR;
    if (sensor->simulated && !trust->head.allow_simulated)
        return FW_UNTRUSTED_SENSOR;
    found->attested = true;
    found->simulated = sensor->simulated;
    return FW_ACCEPTED;
}

/* Verifies the grant in the record as of the record's issue. */
static fw_result verify_grant(const fw_trust *trust, fw_template *found)
{
    fw_envelope envelope;
    fw_signers signers;
    /* The envelope's kind and form, then enough administrators by every rule, then what they signed. */
    if (!fw_envelope_read(found->record.grant, &FW_GRANT_PAYLOAD, &envelope))
        return FW_UNSUPPORTED_RECORD;
    const fw_result met = fw_rules_met(trust, FW_TRUST_STATEMENT_ADMINISTRATORS, &envelope, &signers);
    if (met != FW_ACCEPTED)
        return met;
    fw_Grant *grant = &found->grant;
    if (!fw_grant_read(envelope.payload, grant))
        return FW_UNSUPPORTED_RECORD;
    if (!is_for(trust, grant->tenant, grant->lock_group))
        return FW_WRONG_CONTEXT;
    if (!is_in_time(grant->issued_at_s, grant->expires_at_s, found->record.issued_at_s))
        return FW_EXPIRED;
    if (grant->purpose != fw_GrantPurpose_GRANT_PURPOSE_ENROLL)
        return FW_PERMISSION_INVALID;
    if (grant->development && !trust->head.allow_development)
        return FW_PERMISSION_INVALID;
    if (fw_is_revoked(trust, FW_TRUST_STATEMENT_REVOKED_SUBJECTS, grant->subject))
        return FW_REVOKED;
    if (grant->development || signers.development)
        found->development = true;
    return FW_ACCEPTED;
}

static fw_result verify(fw_view bytes, const fw_trust *trust, uint64_t now_s, uint64_t epoch, const uint8_t *subject,
                        fw_template *found)
{
    fw_envelope envelope;
    fw_signers signers;
    fw_sensor sensor = {0};
    fw_result result;
    if (trust->opened != FW_ACCEPTED)
        return FW_SIGNATURE_INVALID;
    /* 1 */
    if (!fw_envelope_read(bytes, &FW_TEMPLATE_PAYLOAD, &envelope))
        return FW_UNSUPPORTED_RECORD;
    /* 2, 3 */
    result = fw_rules_met(trust, FW_TRUST_STATEMENT_HOSTS, &envelope, &signers);
    if (result != FW_ACCEPTED)
        return result;
    found->development = signers.development;
    /* 4 */
    const fw_TemplateRecord *record = &found->record;
    found->payload = envelope.payload;
    if (!fw_record_read(envelope.payload, &found->record))
        return FW_UNSUPPORTED_RECORD;
    /* 5 */
    if (!is_for(trust, record->tenant, record->lock_group))
        return FW_WRONG_CONTEXT;
    if (subject != NULL && !fw_same(record->subject, (fw_view){subject, FW_DIGEST_BYTES}))
        return FW_WRONG_CONTEXT;
    /* 6 */
    if (!is_in_time(record->issued_at_s, record->expires_at_s, now_s) || now_s >= trust->head.expires_at_s)
        return FW_EXPIRED;
    /* 7 */
    if (fw_is_revoked(trust, FW_TRUST_STATEMENT_REVOKED_RECORDS, record->record_id) ||
        fw_is_revoked(trust, FW_TRUST_STATEMENT_REVOKED_SUBJECTS, record->subject) || record->epoch < epoch ||
        record->epoch < trust->head.minimum_epoch)
        return FW_REVOKED;
    /* 8 */
    result = shown_live(trust, record, envelope.payload);
    if (result != FW_ACCEPTED)
        return result;
    /* 9 */
    result = prove_sensor(trust, found, &sensor);
    if (result != FW_ACCEPTED)
        return result;
    /* 10 */
    result = verify_grant(trust, found);
    if (result != FW_ACCEPTED)
        return result;
    const fw_Grant *grant = &found->grant;
    if (!fw_same(grant->subject, record->subject))
        return FW_PERMISSION_INVALID;
    if (grant->sensor_serial.len > 0 && !fw_same(grant->sensor_serial, record->sensor.serial))
        return FW_PERMISSION_INVALID;
    if (grant->sensor_key.len > 0 && !(found->attested && fw_is_digest_of(grant->sensor_key, sensor.device_key)))
        return FW_PERMISSION_INVALID;
    if (grant->host_key.len > 0 && !fw_signers_have(trust, FW_TRUST_STATEMENT_HOSTS, &signers, grant->host_key))
        return FW_PERMISSION_INVALID;
    return FW_ACCEPTED;
}

/* Steps 1 to 10; `out` is all zeros after a refusal. */
static fw_result verify_or_clear(const uint8_t *bytes, size_t len, const fw_trust *trust, uint64_t now_s,
                                 uint64_t epoch, const uint8_t *subject, fw_template *out)
{
    memset(out, 0, sizeof *out);
    const fw_result result = verify((fw_view){bytes, len}, trust, now_s, epoch, subject, out);
    if (result == FW_ACCEPTED)
        fw_sha256(out->payload, out->digest);
    else
        memset(out, 0, sizeof *out);
    return result;
}

fw_result fw_verify_again(const uint8_t *bytes, size_t len, const fw_trust *trust, uint64_t now_s, uint64_t epoch,
                          const uint8_t *subject, const uint8_t taken[32], fw_template *out)
{
    const fw_result result = verify_or_clear(bytes, len, trust, now_s, epoch, subject, out);
    if (result != FW_ACCEPTED)
        return result;
    if (taken == NULL || memcmp(taken, out->digest, sizeof out->digest) != 0) {
        memset(out, 0, sizeof *out);
        return FW_GRANT_USED;
    }
    return FW_ACCEPTED;
}

fw_result fw_verify_new(const uint8_t *bytes, size_t len, const fw_trust *trust, uint64_t now_s, uint64_t epoch,
                        const uint8_t *subject, fw_grant_seen grant_seen, void *context, fw_template *out)
{
    const fw_result result = verify_or_clear(bytes, len, trust, now_s, epoch, subject, out);
    if (result != FW_ACCEPTED)
        return result;
    /* 11 */
    if (grant_seen == NULL || grant_seen(context, out->grant.grant_id.data) != FW_GRANT_NEW) {
        memset(out, 0, sizeof *out);
        return FW_GRANT_USED;
    }
    return FW_ACCEPTED;
}
