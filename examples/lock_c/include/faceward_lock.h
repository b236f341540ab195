/* Faceward's verifier for locks: whether a signed face template may be trusted here and now.
 *
 * The same steps, in the same order and with the same strictness, as faceward_proto.trust in Python. No heap, no static
 * data, no clock, no files: the caller brings the bytes, the time and what the lock remembers, and every result is a view
 * of the caller's bytes. They must stay as they are for as long as the results are used.
 *
 * What a lock keeps in its own tamper-proof, power-safe memory, and brings to each call:
 *
 *     anchors    the keys that its trust stores are signed by (built in)
 *     sequence   the highest of any trust store that it took
 *     epoch      the lowest that it still takes of records
 *     grant ids  those of the records that it took: each serves once
 *
 * Taking a record is fw_verify_new, then keeping out.grant's id, then using the template. In this order: with the power
 * cut in between, a grant is lost rather than used twice.
 */
#ifndef FACEWARD_LOCK_H
#define FACEWARD_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faceward_proto/v1/grant.pb.h"
#include "faceward_proto/v1/template.pb.h"
#include "faceward_proto/v1/trust.pb.h"
#include "view.h"

/* Only FW_ACCEPTED accepts. It is far in bits from 0, from all ones and from every refusal, so that one flipped bit makes
 * none of them into it. */
typedef enum {
    FW_UNSUPPORTED_RECORD = 1, /* not an envelope, record, grant or trust store of this version, or not canonical */
    FW_SIGNATURE_INVALID,      /* too few of the keys that are asked for signed these bytes */
    FW_UNTRUSTED_KEY,          /* they did, but of a kind that the trust store does not take */
    FW_WRONG_CONTEXT,          /* of another tenant, lock group or subject */
    FW_EXPIRED,                /* not valid at this time */
    FW_REVOKED,                /* its key, the record, the subject or its epoch was withdrawn */
    FW_NOT_SHOWN_LIVE,         /* it does not say that every gate found a living face */
    FW_UNTRUSTED_SENSOR,       /* simulated, or it did not prove what it is or what it saw */
    FW_PERMISSION_INVALID,     /* its grant does not permit it */
    FW_GRANT_USED,             /* its grant was taken before */
    FW_ROLLED_BACK,            /* a trust store older than one that was seen */
    FW_ACCEPTED = 0x3C5AA5C3
} fw_result;

/* "accepted", or the refusal as every verifier of Faceward's names it: "unsupported-record", "signature-invalid", ... */
const char *fw_result_name(fw_result result);

/* A trust store that was taken. Its statement lies in the caller's buffer. */
typedef struct {
    uint32_t opened;        /* FW_ACCEPTED when it was */
    fw_view statement;
    fw_TrustStatement head; /* what is not repeated */
} fw_trust;

/* Keys of which `need` different ones must have signed a trust store: SubjectPublicKeyInfo in DER, P-256 (91 bytes). */
typedef struct {
    const fw_view *keys;
    size_t count;
    size_t need;
} fw_anchor;

/* What is built into a lock, or set when it is installed. */
typedef struct {
    const fw_anchor *anchors; /* every one of them must be met; without one, no trust store is taken */
    size_t anchor_count;
    const char *tenant;       /* NULL: whichever the trust store is for */
    const char *lock_group;   /* likewise */
} fw_lock;

/* Takes a signed trust store at Unix time `now_s`. `highest_sequence` is the highest that the lock took before: when this
 * answers FW_ACCEPTED, keep trust->head.sequence in its place, before using it.
 *
 * 1. The bytes are one envelope in its canonical form, of the trust store's payload type.
 * 2. Enough of the lock's anchors signed exactly these bytes.
 * 3. The bytes that were verified are one trust statement in its canonical form.
 * 4. It is within bounds: rules that can be met, keys in their usual form, lists in order and each entry once.
 * 5. It was made for this tenant and this lock group.
 * 6. It is valid now.
 * 7. It is not older than the one that the lock took last.
 */
fw_result fw_trust_open(const uint8_t *bytes, size_t len, const fw_lock *lock, uint64_t now_s,
                        uint64_t highest_sequence, fw_trust *trust);

/* Says of a grant id whether the lock took it: FW_GRANT_NEW only where it knows that it did not. */
enum { FW_GRANT_TAKEN = 0, FW_GRANT_NEW = 0x5AC33CA5 };
typedef int (*fw_grant_seen)(void *context, const uint8_t grant_id[16]);

/* A record that passed every step. */
typedef struct {
    fw_TemplateRecord record; /* poses, relief and gates: fw_each_of(payload, fw_TemplateRecord_..._tag) */
    fw_view payload;          /* the bytes that were verified and then read */
    uint8_t digest[32];       /* SHA-256 of them: keep it with grant.grant_id */
    fw_Grant grant;
    bool attested;            /* a sensor proved what it is and what it saw; without it, all of record.sensor is hearsay */
    bool simulated;
    bool development;         /* a grant that a host gave itself, or a key that can be copied */
} fw_template;

/* Verifies a record that the lock has not taken yet.
 *
 * `epoch` is the lowest that the lock still takes (0 where it keeps none), `subject` the 32 bytes that the record must be
 * of, or NULL where the caller doesn't know. Without `grant_seen` every grant counts as taken. `out` is all zeros after a
 * refusal.
 *
 *  1. The bytes are one envelope in its canonical form, of the template's payload type.
 *  2. Enough of the host keys, none of them revoked, signed exactly these bytes, by every rule for hosts.
 *  3. Those keys are kept in places that the trust store takes.
 *  4. The bytes that were verified are one record in its canonical form, within bounds.
 *  5. It was made for this tenant, this lock group and this subject.
 *  6. It is valid now, and so is the trust store.
 *  7. Neither it nor its subject nor its epoch was withdrawn.
 *  8. Its outcome is LIVE, every gate's is; every gate that is asked for is there, and gates and extractor reach their
 *     floors; policy and extractor are among the pinned.
 *  9. Its sensor is one that the trust store takes, and proved what the record says of it and of its capture.
 * 10. The grant in it was signed by enough administrators, by every rule, and permits this record.
 * 11. The lock did not take this grant before.
 */
fw_result fw_verify_new(const uint8_t *bytes, size_t len, const fw_trust *trust, uint64_t now_s, uint64_t epoch,
                        const uint8_t *subject, fw_grant_seen grant_seen, void *context, fw_template *out);

/* Verifies a record that the lock took before: steps 1 to 10. `taken` is the digest that it had then; another record under
 * the same grant is FW_GRANT_USED, and so is any without `taken`. */
fw_result fw_verify_again(const uint8_t *bytes, size_t len, const fw_trust *trust, uint64_t now_s, uint64_t epoch,
                          const uint8_t *subject, const uint8_t taken[32], fw_template *out);

#endif
