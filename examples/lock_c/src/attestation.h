/* What a sensor's evidence proves: docs/protocol.md, "Attestation". */
#ifndef FACEWARD_ATTESTATION_H
#define FACEWARD_ATTESTATION_H

#include "faceward_lock.h"

typedef struct {
    fw_view device_key;
    bool simulated;
} fw_sensor;

/* Checks the evidence in a record, whose bytes are `payload`, against what the record says of its sensor and capture.
 *
 * 1. The evidence is one in its canonical form, and so are its chain and every statement.
 * 2. The model's statement is signed by a root that is not revoked, the device's by the model's key, the firmware's by the
 *    device's key, the capture's by the firmware's signing key.
 * 3. Every key is P-256, written in the one way, and none of them is revoked.
 * 4. The firmware's security version is at least the floor of this vendor and model.
 * 5. Nonce, schedule digest, capture digest, slots, key frames and grant are the record's.
 * 6. Vendor, model, serial and firmware version are the record's.
 * 7. Simulated or not follows from the root.
 */
fw_result fw_sensor_prove(const fw_trust *trust, const fw_TemplateRecord *record, fw_view payload, fw_sensor *sensor);

#endif
