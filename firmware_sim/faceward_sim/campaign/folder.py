"""A campaign's folder: whose results these are, how far they are, and how often the test split was opened.

campaign.json     digests of plan, policy and frozen gates, written before anything else
plan.toml         the plan's bytes
policy.toml       the policy's
*.toml            the designs that the plan names
openings.log      one line each time that test presentations began, in JSON
failures.log      what is known of errors
results*, about.json, pictures/    as faceward.pad has them
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from faceward.pad import CaptureOutcome, Presentation

from faceward_sim.campaign.plan import Plan, load_plan
from faceward_sim.campaign.roster import Entry, roster

IDENTITY = "campaign.json"
PLAN = "plan.toml"
POLICY = "policy.toml"
OPENINGS = "openings.log"
FAILURES = "failures.log"
PICTURES = "pictures"

_GOES_ON = (CaptureOutcome.INCONCLUSIVE, CaptureOutcome.REJECTED)


class FolderError(ValueError):
    """A folder that is not this campaign's; the message says whose it is and what to do."""


@dataclass(frozen=True, slots=True)
class CampaignFolder:
    """A folder that belongs to one plan under one policy and one set of gates."""

    path: Path
    plan: Plan
    frozen: str
    policy: bytes

    @classmethod
    def claim(cls, path: Path, plan: Plan, frozen: str, policy: bytes) -> CampaignFolder:
        """Make the folder, or go on with the one that is there. Raises FolderError: it is another's, or unwritable."""
        identity = {"schema": 1, "plan_sha256": plan.digest, "frozen_sha256": frozen}
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not (path / IDENTITY).exists():
                strangers = [each.name for each in path.iterdir() if each.suffix in (".parquet", ".jsonl")]
                if strangers:
                    raise FolderError(f"{path} has results of something else ({strangers[0]}); take a new folder")
                (path / PICTURES).mkdir(exist_ok=True)
                write_file(path / PLAN, plan.content)
                write_file(path / POLICY, policy)
                for name, content in plan.beside:
                    write_file(path / name, content)
                # Last: a folder that says whose it is has all of it.
                write_file(path / IDENTITY, json.dumps(identity, indent=2).encode() + b"\n")
        except OSError as error:
            raise FolderError(f"{path} can't be written: {error.strerror or error}") from None
        found = _identity(path)
        if found["plan_sha256"] != plan.digest:
            raise FolderError(f"{path} belongs to another plan (see its {PLAN}); take a new folder")
        if found["frozen_sha256"] != frozen:
            raise FolderError(f"{path} was begun under other gates or another policy; take a new folder")
        return cls(path, plan, frozen, policy)

    @classmethod
    def open(cls, path: Path) -> CampaignFolder:
        """A folder that is there, whatever is installed now. Raises FolderError, TableError."""
        found = _identity(path)
        plan = load_plan(path / PLAN)
        if plan.digest != found["plan_sha256"]:
            raise FolderError(f"{path / PLAN}, or a file that it names, was changed after the campaign began")
        try:
            policy = (path / POLICY).read_bytes()
        except OSError as error:
            raise FolderError(f"{path / POLICY} can't be read: {error.strerror or error}") from None
        return cls(path, plan, found["frozen_sha256"], policy)

    def roster(self) -> tuple[Entry, ...]:
        """Every grant of the plan."""
        return roster(self.plan, self.frozen)

    def note_opening(self, ledger: Path, lines_before: int) -> int:
        """Count, durably, that test presentations are about to begin. Returns how often it has happened.

        Raises FolderError.
        """
        row = {
            "opened_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "plan": self.plan.name,
            "plan_sha256": self.plan.digest,
            "frozen_sha256": self.frozen,
            "lines_before": lines_before,
        }
        try:
            append_line(ledger, json.dumps(row))
            return len(ledger.read_bytes().splitlines())
        except OSError as error:
            raise FolderError(f"{ledger} can't be written: {error.strerror or error}") from None

    def note_failure(self, presentation_id: str, error: str) -> None:
        """Keep what is known of an error beside the line that has its code. Raises FolderError."""
        try:
            append_line(self.path / FAILURES, f"== {presentation_id}\n{error.rstrip()}")
        except OSError as problem:
            raise FolderError(f"{self.path / FAILURES} can't be written: {problem.strerror or problem}") from None

    def keep_picture(self, name: str, content: bytes) -> None:
        """Write a picture that a line names, before the line is written. Raises FolderError."""
        try:
            write_file(self.path / name, content)
        except OSError as error:
            raise FolderError(f"{self.path / name} can't be written: {error.strerror or error}") from None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a campaign is: grants that are done, and those that a kill cut between two of their lines."""

    done: frozenset[str]
    cut: dict[str, int]  # by grant, how many lines it has

    @classmethod
    def of(cls, entries: Iterable[Entry], lines: Iterable[Presentation], captures_per_grant: int) -> Standing:
        """Read it off the lines that are there."""
        last: dict[str, Presentation] = {}
        for line in lines:
            if line.grant_id not in last or line.attempt > last[line.grant_id].attempt:
                last[line.grant_id] = line
        done, cut = set(), {}
        for entry in entries:
            line = last.get(entry.grant_id)
            if line is None:
                continue
            if line.outcome in _GOES_ON and line.attempt < (entry.captures or captures_per_grant):
                cut[entry.grant_id] = line.attempt
            else:
                done.add(entry.grant_id)
        return cls(frozenset(done), cut)


def _identity(path: Path) -> dict[str, str]:
    try:
        found = json.loads((path / IDENTITY).read_bytes())
        return {key: str(found[key]) for key in ("plan_sha256", "frozen_sha256")}
    except (OSError, ValueError, KeyError, TypeError):
        raise FolderError(f"{path} is no campaign's folder: it has no {IDENTITY} that can be read") from None


def write_file(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all. Raises OSError."""
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.writing")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def append_line(path: Path, text: str) -> None:
    """Add a line; when this returns it is on the disk. Raises OSError."""
    with path.open("ab") as file:
        file.write(text.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
