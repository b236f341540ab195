/* Bounds that any message of Faceward's is held to once it was read: faceward_proto/bounds.py and versions.py. */
#ifndef FACEWARD_BOUNDS_H
#define FACEWARD_BOUNDS_H

#include "view.h"

#define FW_ID_BYTES 16u
#define FW_DIGEST_BYTES 32u
#define FW_MAX_TEXT 64u
#define FW_MAX_TIME_S (UINT64_C(1) << 40)
#define FW_MAX_EPOCH (UINT64_C(1) << 40)

/* 1 to 64 of A-Z a-z 0-9 . _ + - with a letter or digit first. */
bool fw_is_identifier(fw_view text);

/* 1 to `limit` bytes without control characters; that it is UTF-8, the strict reader saw. */
bool fw_is_text(fw_view text, size_t limit);

/* Unix times, both told, in this order. */
bool fw_are_times(uint64_t issued_at_s, uint64_t expires_at_s);

/* Numbers with dots between them, such as 1.4.0: at most eight, none with a leading zero or more than nine digits. */
bool fw_is_dotted(fw_view version);

/* Whether `version` is at least `minimum`, number by number (1 is 1.0). False where either is not dotted. */
bool fw_reaches(fw_view version, fw_view minimum);

#endif
