"""Which face, in which frame: joins what face analysis saw with the frames of a set."""

from __future__ import annotations

from faceward.plugin import FaceObservation, FaceSighting, Frame, FrameSet, Illumination


def flood_frames(frame_set: FrameSet, face: FaceObservation) -> list[tuple[Frame, FaceSighting]]:
    """The set's flood frames with the face seen in each, in order; frames without a face are left out."""
    seen = {sighting.slot: sighting for sighting in face.sightings}
    return [(frame, seen[frame.slot]) for frame in frame_set.infrared(Illumination.FLOOD) if frame.slot in seen]


def nearest_sighting(slot: int, face: FaceObservation) -> FaceSighting | None:
    """The sighting that is nearest in time to a slot."""
    return min(face.sightings, key=lambda sighting: abs(sighting.slot - slot), default=None)
