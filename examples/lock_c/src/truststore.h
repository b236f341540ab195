/* What is asked of an opened trust store: faceward_proto/truststore.py reads it in Python. */
#ifndef FACEWARD_TRUSTSTORE_H
#define FACEWARD_TRUSTSTORE_H

#include "envelope.h"
#include "faceward_lock.h"

/* Which keys of its rules signed something: one bit for each, rules and keys in their order. */
typedef struct {
    uint64_t kept;    /* of a kind that the trust store takes */
    bool development; /* one of them can be copied */
} fw_signers;

/* Checks that enough keys signed the envelope, by every rule in `rules` (FW_TRUST_STATEMENT_HOSTS or _ADMINISTRATORS). */
fw_result fw_rules_met(const fw_trust *trust, uint32_t rules, const fw_envelope *envelope, fw_signers *signers);

/* Whether one of the signers has this key digest. */
bool fw_signers_have(const fw_trust *trust, uint32_t rules, const fw_signers *signers, fw_view digest);

/* Whether a list of bytes (FW_TRUST_STATEMENT_REVOKED_RECORDS, ...) holds `entry`. FW_HOLDS_BROKEN where the list can't be
 * read: as good as the worse of the two answers. */
typedef enum { FW_HOLDS_NOT, FW_HOLDS, FW_HOLDS_BROKEN } fw_holding;
fw_holding fw_list_holds(const fw_trust *trust, uint32_t list, fw_view entry, bool *is_empty);

/* Anything but a clean "no" is a yes. */
bool fw_is_revoked(const fw_trust *trust, uint32_t list, fw_view entry);
bool fw_is_key_revoked(const fw_trust *trust, fw_view key);

#endif
