"""The report as JSON holds it: the same numbers as the page, by the field names of `faceward.pad.report`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from faceward.pad.detection import Point
from faceward.pad.intervals import BOOTSTRAP_SEED, CONFIDENCE, RESAMPLES, Rate
from faceward.pad.report import Report
from faceward.pad.schema import SCHEMA_VERSION
from faceward.version import VERSION

DOCUMENT_VERSION: Final = 1


def as_document(report: Report) -> dict[str, Any]:
    """Plain values, with which confidence, seed and versions they were made (docs/pad-report.md has the schema)."""
    return {
        "report": "faceward.pad",
        "version": DOCUMENT_VERSION,
        "made_by": f"faceward {VERSION}",
        "results_schema": SCHEMA_VERSION,
        "confidence": CONFIDENCE,
        "bootstrap": {"resamples": RESAMPLES, "seed": BOOTSTRAP_SEED},
        **_plain(report),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Rate):
        return {
            "errors": value.errors,
            "trials": value.trials,
            "share": value.share,
            "low": value.low,
            "high": value.high,
            "upper": value.upper,
        }
    if isinstance(value, Point):
        return [value.threshold, value.apcer, value.bpcer]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
