"""What records say of their sensors, against what roots say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from faceward_proto.attestation import (
    SensorRoot,
)
from faceward_proto.envelope import TEMPLATE_TYPE
from faceward_proto.v1 import template_pb2
from ingredients import (
    HOST,
    OTHER_VENDOR_ROOT,
    SENSOR,
    SIMULATOR,
    attested,
    record_message,
    seal,
    trust,
)

from cases.case import (
    Case,
    simulators,
)


def labels() -> Iterator[Case]:
    """What the record says of its sensor, against what its root says."""

    def refused(
        name: str, why: str, message: template_pb2.TemplateRecord, store: bytes, kind: str = "untrusted-sensor"
    ) -> Case:
        return Case(f"label/{name}", why, kind, seal(message, TEMPLATE_TYPE, HOST), store)

    simulated = attested(record_message(), SIMULATOR, simulated=True)
    as_vendors = attested(record_message(), SIMULATOR)
    yield refused("unattested", "the sensor proved nothing", record_message(), trust())
    yield refused(
        "unattested-where-simulated-is-allowed",
        "simulated sensors are allowed, unattested ones are not",
        record_message(),
        simulators(),
    )
    yield refused(
        "simulated", "a simulated sensor, where none is allowed", simulated, simulators(allow_simulated=False)
    )
    yield refused(
        "simulated-where-the-rest-is-allowed",
        "development and unattested sensors are allowed, simulated ones are not",
        simulated,
        simulators(allow_simulated=False, allow_development=True, allow_unattested=True),
    )
    yield refused(
        "simulator-unknown",
        "simulated sensors are allowed, and this simulator's root is not listed",
        simulated,
        trust(allow_simulated=True),
    )
    yield refused(
        "simulated-under-a-vendors-root",
        "a vendor's sensor that is called simulated",
        attested(record_message(), simulated=True),
        simulators(),
    )
    yield refused("verified-under-a-simulators-root", "a simulator that is called a vendor's", as_vendors, simulators())
    yield refused(
        "simulator-listed-as-a-vendors",
        "the published simulator's root, listed as a vendor's, and so labelled",
        as_vendors,
        simulators(simulated=False, allow_simulated=False),
    )
    yield refused(
        "simulator-listed-and-allowed",
        "the same where simulated sensors are allowed: the label lies",
        as_vendors,
        simulators(simulated=False),
    )
    yield refused(
        "simulator-listed-labelled-simulated",
        "the label is right, and simulated sensors are not allowed",
        simulated,
        simulators(simulated=False, allow_simulated=False),
    )
    own = replace(SENSOR, root=OTHER_VENDOR_ROOT)
    yield refused(
        "a-root-marked-simulated",
        "a vendor's own simulator, called a vendor's sensor",
        attested(record_message(), own),
        trust(allow_simulated=True, sensor_roots=(SensorRoot(OTHER_VENDOR_ROOT.public, "bench", True),)),
    )
    yield refused(
        "unknown-kind",
        "evidence of a kind that nothing here verifies",
        attested(record_message(), kind="acme.sensor.v1"),
        trust(),
    )
    yield refused(
        "kind-prefix", "a kind whose name begins alike", attested(record_message(), kind="faceward.sensor.v10"), trust()
    )
