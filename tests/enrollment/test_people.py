"""Ten living people in four tones enroll and verify before one host, and none of them as another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import permutations

import pytest
from faceward.enrollment import Enrollment, RetryFollows, enroll
from faceward.errors import CaptureRejected, EnrollmentRefused, FacewardError, LivenessInconclusive, NoMatch
from faceward.extract.extractor import TemplateExtractor
from faceward.host import Host
from faceward.liveness.admit import LiveCapture
from faceward.model.capture import FaceTemplate
from faceward.model.face import Pose
from faceward.model.liveness import Outcome
from faceward.verification import Verification, stored_record, verify

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

COUNT = 10
TONES = (1.0, 2.0, 3.0, 4.0)
DISTANCES_MM = (300.0, 350.0, 400.0, 450.0, 500.0)


class Keeping(TemplateExtractor):
    """The extractor, and the last template that it made."""

    def __init__(self, inner: TemplateExtractor) -> None:
        self.name, self.version = inner.name, inner.version
        self._inner = inner
        self.last: FaceTemplate | None = None

    def extract(self, live: LiveCapture) -> FaceTemplate:
        self.last = self._inner.extract(live)
        return self.last

    def compare(self, probe: FaceTemplate, reference: FaceTemplate) -> float:
        return self._inner.compare(probe, reference)

    @property
    def threshold(self) -> float:
        return self._inner.threshold


@dataclass
class Someone:
    """A person, and what became of them."""

    name: str
    seed: int
    tone: float
    distances_mm: tuple[float, float]
    refusals: list[str] = field(default_factory=list)
    enrollment: Enrollment | None = None
    verification: Verification | None = None
    probe: FaceTemplate | None = None

    def __str__(self) -> str:
        near, far = self.distances_mm
        return f"seed {self.seed}, tone {self.tone:g}, {near:.0f} then {far:.0f} mm: {self.refusals or 'at once'}"


@dataclass
class Town:
    """Everybody, and the host before which they stood."""

    people: list[Someone]
    host: Host
    before: Callable[[Someone], Host]
    seconds: float


@pytest.fixture(scope="module")
def town(
    new_bench: type, draw_seed: Callable[[str], int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    began_s = time.monotonic()
    first = draw_seed("a town of ten")
    with new_bench(tmp_path_factory.mktemp("town")) as bench:
        home = bench.home()
        people = [
            Someone(
                f"person-{number}",
                first + number * 7919,
                TONES[number % len(TONES)],
                (DISTANCES_MM[number % 5], DISTANCES_MM[(number + 2) % 5]),
            )
            for number in range(COUNT)
        ]

        def before(person: Someone, distance_mm: float | None = None) -> Host:
            at_mm = person.distances_mm[1] if distance_mm is None else distance_mm
            return bench.host_before("live", person.seed, distance_mm=at_mm, tone=person.tone, home=home)

        for person in people:
            _live_through(person, before)
        yield Town(people, before(people[0]), before, time.monotonic() - began_s)


def _live_through(person: Someone, before: Callable[..., Host]) -> None:
    """Enroll at one distance and verify at another; what is refused is kept, as the reason and the verdict's cues."""
    host = before(person, person.distances_mm[0])

    def note(event: object) -> None:
        if isinstance(event, RetryFollows):
            details = host.audit.entries()[-1].details
            person.refusals.append(f"enroll: {details.get('rejection') or details.get('cues') or event.code}")

    try:
        for _ in range(2):  # whose grant ended in a refusal gets another, once
            try:
                person.enrollment = enroll(host, person.name, on_event=note)
                break
            except FacewardError as error:
                person.refusals.append(f"enroll: {_story(error)}")
    finally:
        host.backend.close()
    if person.enrollment is None:
        return
    extractor = Keeping(host.extractor)
    for at_mm in (person.distances_mm[1], min(person.distances_mm)):  # who was not seen well comes nearer, once
        seen = before(person, at_mm)
        try:
            person.verification = verify(replace(seen, extractor=extractor), person.name)
            break
        except (CaptureRejected, LivenessInconclusive) as error:
            person.refusals.append(f"verify: {_story(error)}")
        except FacewardError as error:
            person.refusals.append(f"verify: {_story(error)}")
            break
        finally:
            seen.backend.close()
    person.probe = extractor.last


def _story(error: FacewardError) -> str:
    if isinstance(error, EnrollmentRefused) and error.verdict is not None:
        return f"{error.code} ({'; '.join(f'{each.gate}: {each.evidence.reason}' for each in error.verdict.deciding)})"
    return f"{error.code} ({error})"


def test_everybody_alive_enrolls(town: Town, record_property: Callable[[str, object], None]) -> None:
    lines = []
    for tone in TONES:
        of_tone = [person for person in town.people if person.tone == tone]
        refused = [refusal for person in of_tone for refusal in person.refusals]
        captures = sum((person.enrollment is not None) + (person.verification is not None) for person in of_tone)
        lines.append(
            f"tone {tone:g}: {len(refused)} live refusals beside {captures} captures that passed, of {len(of_tone)} people"
            + "".join(f"\n        {refusal}" for refusal in refused)
        )
    record_property("people", "\n".join(lines))
    record_property("people", f"{town.seconds:.0f} s for {COUNT} enrollments and {COUNT} verifications")

    assert [str(person) for person in town.people if person.enrollment is None] == []
    # About one living capture in a hundred is taken for an attack (simulated).
    ended = [refusal for person in town.people for refusal in person.refusals if refusal.startswith("enroll: not-live")]
    assert len(ended) <= 1, ended
    assert [stored.subject for stored in town.host.templates.list()] == [person.name for person in town.people]


def test_every_record_verifies_and_tells_how_it_came_to_be(town: Town) -> None:
    for person in town.people:
        assert person.enrollment is not None
        record = stored_record(town.host, person.name)

        assert record.record_id == person.enrollment.record.record_id
        assert record.simulated
        assert record.outcome is Outcome.LIVE
        assert [gate.name for gate in record.gates] == ["challenge-echo", "continuity", "flatness", "skin-optics"]
        assert {gate.outcome for gate in record.gates} == {Outcome.LIVE}
        assert {pose.pose for pose in record.poses} == set(Pose)
        assert record.policy_hash == town.host.policy.hash
    assert len({person.enrollment.record.subject for person in town.people if person.enrollment}) == COUNT


def test_everybody_verifies_as_themselves(town: Town, record_property: Callable[[str, object], None]) -> None:
    assert [str(person) for person in town.people if person.verification is None] == []

    scores = [person.verification.score for person in town.people if person.verification]
    record_property("people", f"genuine scores {min(scores):.3f} to {max(scores):.3f}")
    assert all(each.verification.score >= each.verification.threshold for each in town.people if each.verification)


def test_nobody_verifies_as_another(town: Town, record_property: Callable[[str, object], None]) -> None:
    extractor = town.host.extractor
    scores = {}
    for probe, reference in permutations(town.people, 2):
        assert probe.probe is not None, probe
        assert reference.enrollment is not None, reference
        scores[probe.name, reference.name] = extractor.compare(probe.probe, reference.enrollment.record.template)
    record_property(
        "people",
        f"impostor scores {min(scores.values()):.3f} to {max(scores.values()):.3f}, threshold {extractor.threshold:.3f}",
    )
    assert {pair: score for pair, score in scores.items() if score >= extractor.threshold} == {}

    # The pair that is most alike tries it before the sensor, too.
    claimant, victim = max(scores, key=lambda pair: scores[pair])
    person = next(person for person in town.people if person.name == claimant)
    with pytest.raises(NoMatch) as refused:
        verify(town.before(person, min(person.distances_mm)), victim)
    assert refused.value.score < refused.value.threshold == extractor.threshold
