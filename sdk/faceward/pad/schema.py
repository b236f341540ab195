"""How lines of results are laid out in Parquet, with the version of it that every file says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from faceward.errors import ConfigError
from faceward.pad.presentation import Presentation, from_row

SCHEMA_VERSION: Final = 1
VERSION_KEY: Final = b"faceward.pad.schema"

_MEASURE = pa.struct(
    [
        ("name", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("limit", pa.float64()),
        ("sense", pa.string()),
    ]
)
_GATE = pa.struct(
    [
        ("gate", pa.string()),
        ("version", pa.string()),
        ("outcome", pa.string()),
        ("cue", pa.string()),
        ("score", pa.float64()),
        ("measures", pa.list_(_MEASURE)),
    ]
)
SCHEMA: Final = pa.schema(
    [
        ("presentation_id", pa.string()),
        ("attack", pa.bool_()),
        ("species", pa.string()),
        ("person_id", pa.string()),
        ("instrument_id", pa.string()),
        ("target_id", pa.string()),
        ("adaptive", pa.bool_()),
        ("tone", pa.string()),
        ("sensor_kind", pa.string()),
        ("sensor_unit", pa.string()),
        ("split", pa.string()),
        ("generator", pa.string()),
        ("simulated", pa.bool_()),
        ("seed", pa.int64()),
        ("replay", pa.string()),
        ("policy_sha256", pa.string()),
        ("purpose", pa.string()),
        ("grant_id", pa.string()),
        ("attempt", pa.int32()),
        ("outcome", pa.string()),
        ("rejection_reason", pa.string()),
        ("error_code", pa.string()),
        ("gates", pa.list_(_GATE)),
        ("decision_s", pa.float64()),
        ("match_tried", pa.bool_()),
        ("match_score", pa.float64()),
        ("match_threshold", pa.float64()),
        ("picture", pa.string()),
    ],
    metadata={VERSION_KEY: str(SCHEMA_VERSION).encode()},
)


def version_of_part(path: Path) -> str:
    """The schema's version as a Parquet file gives it. Raises: ConfigError."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} can't be read as Parquet: {error}") from None
    return metadata.get(VERSION_KEY, b"none").decode("ascii", "replace")


def read_part(path: Path) -> Iterator[Presentation]:
    """Every line of a Parquet file. Raises: ConfigError."""
    try:
        table = pq.read_table(path, partitioning=None)
        if sorted(table.column_names) != sorted(SCHEMA.names):
            odd = sorted(set(table.column_names) ^ set(SCHEMA.names))
            raise ConfigError(f"{path} has other columns than schema {SCHEMA_VERSION}: {', '.join(odd) or 'one twice'}")
        rows = table.select(SCHEMA.names).cast(SCHEMA).to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} can't be read as results: {error}") from None
    for row in rows:
        yield checked_row(row, path)


def checked_row(row: Mapping[str, Any], path: Path) -> Presentation:
    """The line that a row is, or an error that names the file too. Raises: ConfigError."""
    try:
        return from_row(row)
    except ConfigError as error:
        raise ConfigError(f"{path.name}: {error}") from None
