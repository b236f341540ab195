"""The contact sheet: which slots it takes, and what is on it."""

from __future__ import annotations

from faceward_sim.contact_sheet import HEAD_PX, LEAD_SLOTS, TILE_PX, draw_contact_sheet
from faceward_sim.firmware.imager import Illumination, Prompt


def test_a_sheet_has_a_column_a_slot_with_flood_dots_and_depth(imager):
    sheet = draw_contact_sheet(imager, "a ramp", [0, 60], [Prompt.NONE, Prompt.SMILE])
    assert sheet.shape == (2 * HEAD_PX + 3 * TILE_PX[1], 2 * TILE_PX[0], 3)


def test_a_prompt_is_shown_before_its_pictures_and_slots_rise(imager):
    draw_contact_sheet(imager, "a ramp", [0, 60, 66], [Prompt.NONE, Prompt.SMILE, Prompt.TURN_LEFT])
    slots = [each.slot for each in imager.exposures]
    assert slots == sorted(set(slots))
    smiling = [each.slot for each in imager.exposures if each.prompt is Prompt.SMILE]
    assert smiling[0] == 60 - LEAD_SLOTS
    lights = [each.illumination for each in imager.exposures if each.slot in (60, 61, 62)]
    assert lights == [Illumination.FLOOD, Illumination.FLOOD, Illumination.DOTS]
