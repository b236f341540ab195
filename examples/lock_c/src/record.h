/* Reads template records and grants: the canonical form, and within the bounds that every verifier may count on. */
#ifndef FACEWARD_RECORD_H
#define FACEWARD_RECORD_H

#include "faceward_proto/v1/grant.pb.h"
#include "faceward_proto/v1/template.pb.h"
#include "view.h"

/* faceward_proto/records.py; `into` is all zeros before, and of no use after false. */
bool fw_record_read(fw_view payload, fw_TemplateRecord *into);
bool fw_grant_read(fw_view payload, fw_Grant *into);

/* The next of a record's or gate's, decoded; false at the end, and where reading fails (see fw_seen_all). */
bool fw_next_pose(fw_each *each, fw_PoseTemplate *pose);
bool fw_next_gate(fw_each *each, fw_GateResult *gate, fw_view *bytes);

#define FW_MAX_SLOTS 65536u
#define FW_MIN_NONCE_BYTES 8u
#define FW_MAX_NONCE_BYTES 32u
#define FW_MAX_POSES 8u
#define FW_MAX_EVIDENCE_BYTES 4096u

#endif
