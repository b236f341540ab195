"""Verdicts, and what they were reached with."""

from __future__ import annotations

from collections.abc import Iterator

from faceward_proto.trust import ComponentFloor
from faceward_proto.v1 import template_pb2
from ingredients import (
    record,
    trust,
)

from cases.case import (
    Case,
)


def liveness() -> Iterator[Case]:
    """The verdict, and what it was reached with."""

    def refused(
        name: str, why: str, kind: str = "not-shown-live", *, store: bytes | None = None, **changes: object
    ) -> Case:
        return Case(f"liveness/{name}", why, kind, record(**changes), trust() if store is None else store)

    for name, outcome in (
        ("not-live", template_pb2.OUTCOME_NOT_LIVE),
        ("inconclusive", template_pb2.OUTCOME_INCONCLUSIVE),
        ("not-evaluated", template_pb2.OUTCOME_NOT_EVALUATED),
    ):
        yield refused(f"verdict-{name}", f"the verdict is {name}", outcome=outcome)
        yield refused(f"gate-{name}", f"one gate answered {name}", gates__1__outcome=outcome)
    yield refused(
        "optional-gate-not-live",
        "a gate that nobody asks for counts too",
        gates__1__outcome=template_pb2.OUTCOME_NOT_LIVE,
        store=trust(gates=(ComponentFloor("flatness"),)),
    )
    yield refused(
        "gate-missing",
        "a gate that is asked for did not take part",
        store=trust(gates=(ComponentFloor("eyes"), ComponentFloor("flatness"))),
    )
    yield refused(
        "gate-named-alike",
        "a gate whose name begins alike is another",
        gates__0__name="flat",
        store=trust(gates=(ComponentFloor("flatness"),)),
    )
    yield refused("gate-below-floor", "a gate older than its floor", gates__0__version="0.9.9")
    yield refused(
        "gate-below-by-number",
        "1.9 is below 1.10",
        gates__0__version="1.9",
        store=trust(gates=(ComponentFloor("flatness", "1.10"),)),
    )
    for name, version in (
        ("candidate", "1.0rc1"),
        ("build", "1.0+local"),
        ("letter", "v2.0"),
        ("zeros", "01.5"),
        ("nine-numbers", "2.0.0.0.0.0.0.0.0"),
        ("ten-digits", "4294967297.0"),
    ):
        yield refused(
            f"gate-version-{name}",
            f"{version} is not numbers and dots, so it reaches no floor",
            gates__0__version=version,
        )
    yield refused("policy", "a policy that is not pinned", policy_hash=bytes(32))
    yield refused("extractor", "an extractor that is not pinned", "unsupported-record", extractor__name="other")
    yield refused(
        "extractor-below-floor", "an extractor older than its floor", "unsupported-record", extractor__version="0.9"
    )
    yield refused(
        "extractor-version",
        "an extractor's version that is not numbers and dots",
        "unsupported-record",
        extractor__version="2-beta",
    )
