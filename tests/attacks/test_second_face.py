"""A second person who looks over somebody's shoulder: whose face would the template be?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faceward.enrollment import enroll
from faceward.errors import CaptureRejected
from faceward.host import Host


@pytest.mark.e2e
@pytest.mark.parametrize("distance_mm", [400.0, 500.0])
def test_a_second_face_ends_the_capture_and_says_so(
    host_before: Callable[..., Host],
    keeps_the_promise: Callable[..., None],
    seed: int,
    distance_mm: float,
    record_property: Callable[[str, object], None],
) -> None:
    host = host_before("two-people", seed, distance_mm=distance_mm)

    with pytest.raises(CaptureRejected) as refused:
        enroll(host, "somebody", retries=False)

    record_property("found", f"two people at {distance_mm:.0f} mm: {refused.value.reason}")
    assert refused.value.reason == "two-faces"
    keeps_the_promise(host, attempts=["rejected"])
