#include "truststore.h"

#include <string.h>

#include "bounds.h"
#include "tables.h"

/* faceward_proto/truststore.py */
#define VERSION 1u
#define MAX_RULES 4u
#define MAX_KEYS 16u /* of a rule; of all rules, as many as fw_signers has bits */
#define MAX_ROOTS 16u
#define MAX_FLOORS 64u
#define MAX_COMPONENTS 16u
#define MAX_POLICIES 64u
#define MAX_REVOCATIONS 4096u
#define MAX_SEQUENCE (UINT64_C(1) << 40)
#define CLOCK_SKEW_S 120u

/* -1, 0 or 1, as bytes and as code points of UTF-8 sort. */
static int compare(fw_view a, fw_view b)
{
    const size_t shorter = a.len < b.len ? a.len : b.len;
    const int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    if (order != 0)
        return order < 0 ? -1 : 1;
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

/* Whether one of the first `count` elements of a list of messages has this key (TrustedKey and SensorRoot have theirs in
 * field 1). The few keys of a rule stand in the order that their administrator gave them, so all are looked at. */
static bool has_key_before(fw_view message, uint32_t list, size_t count, fw_view key)
{
    fw_each each = fw_each_of(message, list);
    for (fw_view bytes; count > 0 && fw_next(&each, &bytes); count--) {
        fw_TrustedKey trusted = {0};
        fw_SensorRoot root = {0};
        if (list == FW_KEY_RULE_KEYS) {
            if (!fw_decode(bytes, fw_TrustedKey_fields, &trusted) || fw_same(trusted.key, key))
                return true;
        } else if (!fw_decode(bytes, fw_SensorRoot_fields, &root) || fw_same(root.key, key)) {
            return true;
        }
    }
    return count > 0; /* not all could be read */
}

static bool is_rule(fw_view bytes)
{
    fw_KeyRule rule = {0};
    if (!fw_decode(bytes, fw_KeyRule_fields, &rule))
        return false;
    size_t count = 0;
    fw_each keys = fw_each_of(bytes, FW_KEY_RULE_KEYS);
    for (fw_view key; fw_next(&keys, &key); count++) {
        fw_TrustedKey trusted = {0};
        if (count == MAX_KEYS || !fw_decode(key, fw_TrustedKey_fields, &trusted))
            return false;
        if (!fw_is_identifier(trusted.custody) || fw_key_kind_of(trusted.key) == FW_KEY_UNUSABLE)
            return false;
        if (has_key_before(bytes, FW_KEY_RULE_KEYS, count, trusted.key)) /* one key must not count as two */
            return false;
    }
    return fw_seen_all(&keys) && rule.need >= 1 && rule.need <= count;
}

static bool are_rules(fw_view statement, uint32_t list)
{
    size_t count = 0;
    fw_each rules = fw_each_of(statement, list);
    for (fw_view rule; fw_next(&rules, &rule); count++) {
        if (count == MAX_RULES || !is_rule(rule))
            return false;
    }
    return fw_seen_all(&rules) && count > 0;
}

static bool are_roots(fw_view statement)
{
    size_t count = 0;
    fw_each roots = fw_each_of(statement, FW_TRUST_STATEMENT_SENSOR_ROOTS);
    for (fw_view bytes; fw_next(&roots, &bytes); count++) {
        fw_SensorRoot root = {0};
        if (count == MAX_ROOTS || !fw_decode(bytes, fw_SensorRoot_fields, &root))
            return false;
        if (!fw_is_text(root.name, FW_MAX_TEXT) || fw_key_kind_of(root.key) != FW_KEY_P256)
            return false;
        if (has_key_before(statement, FW_TRUST_STATEMENT_SENSOR_ROOTS, count, root.key))
            return false;
    }
    return fw_seen_all(&roots);
}

static bool are_firmware_floors(fw_view statement)
{
    size_t count = 0;
    fw_FirmwareFloor last = {0};
    fw_each floors = fw_each_of(statement, FW_TRUST_STATEMENT_FIRMWARE);
    for (fw_view bytes; fw_next(&floors, &bytes); count++) {
        fw_FirmwareFloor floor = {0};
        if (count == MAX_FLOORS || !fw_decode(bytes, fw_FirmwareFloor_fields, &floor))
            return false;
        if (!fw_is_text(floor.vendor, FW_MAX_TEXT) || !fw_is_text(floor.model, FW_MAX_TEXT))
            return false;
        const int order = compare(last.vendor, floor.vendor);
        if (count > 0 && !(order < 0 || (order == 0 && compare(last.model, floor.model) < 0)))
            return false;
        last = floor;
    }
    return fw_seen_all(&floors);
}

static bool are_components(fw_view statement, uint32_t list)
{
    size_t count = 0;
    fw_view last = {0};
    fw_each components = fw_each_of(statement, list);
    for (fw_view bytes; fw_next(&components, &bytes); count++) {
        fw_ComponentFloor floor = {0};
        if (count == MAX_COMPONENTS || !fw_decode(bytes, fw_ComponentFloor_fields, &floor))
            return false;
        if (!fw_is_identifier(floor.name) || (floor.minimum_version.len > 0 && !fw_is_dotted(floor.minimum_version)))
            return false;
        if (count > 0 && compare(last, floor.name) >= 0)
            return false;
        last = floor.name;
    }
    return fw_seen_all(&components);
}

static bool is_list(fw_view statement, uint32_t list, size_t entry_len, size_t limit)
{
    size_t count = 0;
    fw_view last = {0};
    fw_each entries = fw_each_of(statement, list);
    for (fw_view entry; fw_next(&entries, &entry); count++) {
        if (count == limit || entry.len != entry_len || (count > 0 && compare(last, entry) >= 0))
            return false;
        last = entry;
    }
    return fw_seen_all(&entries);
}

static bool is_statement(fw_view statement, const fw_TrustStatement *head)
{
    return head->version == VERSION && head->sequence > 0 && head->sequence < MAX_SEQUENCE &&
           fw_are_times(head->issued_at_s, head->expires_at_s) && fw_is_identifier(head->tenant) &&
           fw_is_identifier(head->lock_group) && are_rules(statement, FW_TRUST_STATEMENT_HOSTS) &&
           are_rules(statement, FW_TRUST_STATEMENT_ADMINISTRATORS) && are_roots(statement) &&
           are_firmware_floors(statement) && are_components(statement, FW_TRUST_STATEMENT_GATES) &&
           are_components(statement, FW_TRUST_STATEMENT_EXTRACTORS) && head->minimum_epoch < FW_MAX_EPOCH &&
           is_list(statement, FW_TRUST_STATEMENT_POLICY_HASHES, FW_DIGEST_BYTES, MAX_POLICIES) &&
           is_list(statement, FW_TRUST_STATEMENT_REVOKED_KEYS, FW_DIGEST_BYTES, MAX_REVOCATIONS) &&
           is_list(statement, FW_TRUST_STATEMENT_REVOKED_RECORDS, FW_ID_BYTES, MAX_REVOCATIONS) &&
           is_list(statement, FW_TRUST_STATEMENT_REVOKED_SUBJECTS, FW_DIGEST_BYTES, MAX_REVOCATIONS);
}

/* Whether enough of the lock's own keys signed; a rule that asks for nothing, or that names a key twice, is never met. */
static bool is_anchored(const fw_lock *lock, const fw_envelope *envelope)
{
    if (lock->anchor_count == 0)
        return false;
    for (size_t rule = 0; rule < lock->anchor_count; rule++) {
        const fw_anchor *anchor = &lock->anchors[rule];
        size_t good = 0;
        for (size_t index = 0; index < anchor->count; index++) {
            for (size_t before = 0; before < index; before++) {
                if (fw_same(anchor->keys[before], anchor->keys[index]))
                    return false;
            }
            if (fw_envelope_is_signed_by(envelope, anchor->keys[index]))
                good++;
        }
        if (anchor->need == 0 || good < anchor->need)
            return false;
    }
    return true;
}

fw_result fw_trust_open(const uint8_t *bytes, size_t len, const fw_lock *lock, uint64_t now_s,
                        uint64_t highest_sequence, fw_trust *trust)
{
    memset(trust, 0, sizeof *trust);
    fw_TrustStatement head = {0};
    fw_envelope envelope;
    /* 1 */
    if (!fw_envelope_read((fw_view){bytes, len}, &FW_TRUST_PAYLOAD, &envelope))
        return FW_UNSUPPORTED_RECORD;
    /* 2 */
    if (!is_anchored(lock, &envelope))
        return FW_SIGNATURE_INVALID;
    /* 3, 4 */
    if (!fw_read(FW_TRUST_STATEMENT, envelope.payload, fw_TrustStatement_fields, &head) ||
        !is_statement(envelope.payload, &head))
        return FW_UNSUPPORTED_RECORD;
    /* 5 */
    if ((lock->tenant != NULL && !fw_is(head.tenant, lock->tenant)) ||
        (lock->lock_group != NULL && !fw_is(head.lock_group, lock->lock_group)))
        return FW_WRONG_CONTEXT;
    /* 6 */
    if ((now_s < head.issued_at_s && head.issued_at_s - now_s > CLOCK_SKEW_S) || now_s >= head.expires_at_s)
        return FW_EXPIRED;
    /* 7 */
    if (head.sequence < highest_sequence)
        return FW_ROLLED_BACK;
    *trust = (fw_trust){FW_ACCEPTED, envelope.payload, head};
    return FW_ACCEPTED;
}

/* Places that no key leaves. Any other, "file" or one that nobody knows, is for development. */
static bool is_kept_safe(fw_view custody)
{
    return fw_is(custody, "pkcs11") || fw_is(custody, "secure-element");
}

/* Calls for each key of each rule in a statement, with its bit. False where the lists can't be read. */
typedef struct {
    fw_each rules, keys;
    fw_KeyRule rule;
    unsigned bit;
    bool broken; /* a key could not be read, which what comes after it does not mend */
} key_walk;

static bool next_rule(key_walk *walk)
{
    fw_view bytes;
    if (walk->broken || !fw_next(&walk->rules, &bytes)) {
        walk->rules.whole = walk->rules.whole && !walk->broken;
        return false;
    }
    walk->rule = (fw_KeyRule){0};
    walk->rules.whole = fw_decode(bytes, fw_KeyRule_fields, &walk->rule);
    walk->keys = fw_each_of(bytes, FW_KEY_RULE_KEYS);
    return walk->rules.whole;
}

static bool next_key(key_walk *walk, fw_TrustedKey *trusted, uint64_t *bit)
{
    fw_view bytes;
    if (!fw_next(&walk->keys, &bytes)) {
        walk->broken = walk->broken || !fw_seen_all(&walk->keys);
        return false;
    }
    *trusted = (fw_TrustedKey){0};
    if (walk->bit >= MAX_RULES * MAX_KEYS || !fw_decode(bytes, fw_TrustedKey_fields, trusted)) {
        walk->broken = true;
        return false;
    }
    *bit = UINT64_C(1) << walk->bit++;
    return true;
}

static key_walk walk_of(const fw_trust *trust, uint32_t rules)
{
    key_walk walk = {.rules = fw_each_of(trust->statement, rules)};
    return walk;
}

/* Whether this key is one of the kept, under any rule. */
static bool is_kept(const fw_trust *trust, uint32_t rules, uint64_t kept, fw_view key)
{
    key_walk walk = walk_of(trust, rules);
    fw_TrustedKey trusted;
    while (next_rule(&walk)) {
        for (uint64_t bit; next_key(&walk, &trusted, &bit);) {
            if ((kept & bit) && fw_same(trusted.key, key))
                return true;
        }
    }
    return false;
}

fw_result fw_rules_met(const fw_trust *trust, uint32_t rules, const fw_envelope *envelope, fw_signers *signers)
{
    uint64_t good = 0, safe = 0;
    bool enough_are_safe = true;
    size_t count = 0;
    fw_TrustedKey trusted;
    key_walk walk = walk_of(trust, rules);
    for (; next_rule(&walk); count++) {
        size_t signed_by = 0, good_here = 0, safe_here = 0;
        for (uint64_t bit; next_key(&walk, &trusted, &bit);) {
            if (!fw_envelope_is_signed_by(envelope, trusted.key))
                continue;
            signed_by++;
            if (fw_is_key_revoked(trust, trusted.key))
                continue;
            good_here++;
            good |= bit;
            if (is_kept_safe(trusted.custody)) {
                safe_here++;
                safe |= bit;
            }
        }
        if (good_here < walk.rule.need)
            return signed_by >= walk.rule.need ? FW_REVOKED : FW_SIGNATURE_INVALID;
        enough_are_safe = enough_are_safe && safe_here >= walk.rule.need;
    }
    if (!fw_seen_all(&walk.rules) || count == 0)
        return FW_SIGNATURE_INVALID;
    if (!trust->head.allow_development && !enough_are_safe)
        return FW_UNTRUSTED_KEY;
    signers->kept = trust->head.allow_development ? good : safe;
    signers->development = false;
    walk = walk_of(trust, rules);
    while (next_rule(&walk)) {
        for (uint64_t bit; next_key(&walk, &trusted, &bit);) {
            if (!is_kept_safe(trusted.custody) && is_kept(trust, rules, signers->kept, trusted.key))
                signers->development = true;
        }
    }
    return FW_ACCEPTED;
}

bool fw_signers_have(const fw_trust *trust, uint32_t rules, const fw_signers *signers, fw_view digest)
{
    key_walk walk = walk_of(trust, rules);
    fw_TrustedKey trusted;
    while (next_rule(&walk)) {
        for (uint64_t bit; next_key(&walk, &trusted, &bit);) {
            if ((signers->kept & bit) && fw_is_digest_of(digest, trusted.key))
                return true;
        }
    }
    return false;
}

fw_holding fw_list_holds(const fw_trust *trust, uint32_t list, fw_view entry, bool *is_empty)
{
    fw_each entries = fw_each_of(trust->statement, list);
    *is_empty = true;
    for (fw_view element; fw_next(&entries, &element);) {
        *is_empty = false;
        if (fw_same(element, entry))
            return FW_HOLDS;
    }
    return fw_seen_all(&entries) ? FW_HOLDS_NOT : FW_HOLDS_BROKEN;
}

bool fw_is_revoked(const fw_trust *trust, uint32_t list, fw_view entry)
{
    bool is_empty;
    return fw_list_holds(trust, list, entry, &is_empty) != FW_HOLDS_NOT;
}

bool fw_is_key_revoked(const fw_trust *trust, fw_view key)
{
    uint8_t digest[FW_DIGEST_BYTES];
    fw_sha256(key, digest);
    return fw_is_revoked(trust, FW_TRUST_STATEMENT_REVOKED_KEYS, (fw_view){digest, sizeof digest});
}
