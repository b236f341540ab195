"""A grant through the whole path, where a worker would run it."""

from __future__ import annotations

import pytest
from faceward_sim.campaign.presenting import Order, SetUpError, present
from faceward_sim.campaign.roster import roster
from faceward_sim.campaign.run import open_system


@pytest.fixture
def order(plan_of, tmp_path):
    (tmp_path / "found.toml").write_text("[[designs]]\nmu_s_reduced_per_mm = 1.0\nwash = 1.6\ndistance_mm = 350.0\n")
    text = plan_of().content.decode().replace("print-a4", "mask-adaptive") + 'designs = "found.toml"\n'
    plan = plan_of(text)
    system = open_system(plan, None)
    entry = next(each for each in roster(plan, system.frozen_digest()) if each.attack)
    return Order(entry, system.policy.path.read_bytes(), system.frozen_digest(), None)


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_a_mask_after_a_design_is_captured_and_judged_as_an_adaptive_species(order):
    (trial,) = present(order)
    line = trial.line
    assert (line.species, line.adaptive, line.attack, line.simulated) == ("mask-adaptive", True, True, True)
    assert line.error_code is None, trial.error
    assert [gate.gate for gate in line.gates] == ["challenge-echo", "continuity", "flatness", "skin-optics"]
    optics = {measure.name: measure for measure in line.gates[-1].measures}
    # Off-the-shelf scattering under no paint: more spread than skin's, which the gate has to see.
    assert optics["dot spread for its albedo, widest region"].value > 1.2


def test_other_gates_than_the_campaigns_are_refused(order):
    with pytest.raises(SetUpError, match="other gates"):
        present(Order(order.entry, order.policy, "0" * 64, None))
