"""The suite's cases, by what they try. Each says in one sentence why a verifier must accept or refuse it."""

from __future__ import annotations

from cases.bounds import bounds
from cases.captures import captures
from cases.case import Case
from cases.chains import chains
from cases.contexts import contexts
from cases.edges import edges
from cases.envelopes import envelopes
from cases.good import good
from cases.labels import labels
from cases.liveness import liveness
from cases.payloads import payloads
from cases.permissions import permissions
from cases.signatures import signatures
from cases.trust_stores import trust_stores

GROUPS = (
    good,
    edges,
    envelopes,
    payloads,
    bounds,
    contexts,
    signatures,
    liveness,
    chains,
    captures,
    labels,
    permissions,
    trust_stores,
)


def all_cases() -> list[Case]:
    """Every case, each name once."""
    found = [case for group in GROUPS for case in group()]
    names = [case.name for case in found]
    if len(set(names)) != len(names):
        raise ValueError(f"a name twice: {sorted({name for name in names if names.count(name) > 1})}")
    return found
