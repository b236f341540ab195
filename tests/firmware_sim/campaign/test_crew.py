"""Crews: every order ends, however its worker does."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from distributed import LocalCluster
from faceward_sim.campaign.crew import WORKER_DIED, CrewError, DaskCrew, LocalCrew
from faceward_sim.campaign.presenting import Order, SetUpError
from faceward_sim.campaign.roster import roster

# A crew looks into no order, so that a task of the standard library, which every process can import, will do.


def test_a_process_that_dies_costs_its_own_order_and_no_other():
    crew = LocalCrew(2, task=signal.raise_signal)
    orders = [0, signal.SIGKILL, 0, 0]
    try:
        done = list(crew.work(orders))
    finally:
        crew.close()
    assert sorted(each.order for each in done) == sorted(orders)
    assert [each.order for each in done if each.code == WORKER_DIED] == [signal.SIGKILL]


def test_a_task_that_hangs_is_ended_at_the_limit():
    crew = LocalCrew(1, limit_s=0.5, task=time.sleep)
    try:
        (hung, after) = list(crew.work([120, 0]))
    finally:
        crew.close()
    assert hung.code == WORKER_DIED and after.code is None


def test_an_exception_is_a_result_that_names_it():
    crew = LocalCrew(1, task=time.sleep)
    try:
        (done,) = list(crew.work(["soon"]))
    finally:
        crew.close()
    assert done.code == "exception TypeError" and "soon" not in done.code


def test_a_crew_needs_somebody():
    with pytest.raises(CrewError, match="one job at least"):
        LocalCrew(0)


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp://"
    ) as made:
        yield made


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_ends_every_order_too(cluster, plan_of):
    entries = roster(plan_of(), "frozen")

    def task(order: Order):
        if order.entry.attack:
            raise ValueError("torn")
        return (order.entry.grant_id,)

    crew = DaskCrew(cluster.scheduler_address, task=task)
    try:
        done = list(crew.work(Order(entry, b"", "frozen", None) for entry in entries))
    finally:
        crew.close()
    assert {each.order.entry.grant_id for each in done} == {entry.grant_id for entry in entries}
    assert {each.code for each in done if each.order.entry.attack} == {"exception ValueError"}
    assert all(each.trials == (each.order.entry.grant_id,) for each in done if not each.order.entry.attack)


@pytest.mark.filterwarnings("ignore")
def test_two_campaigns_at_one_scheduler_get_their_own_answers(cluster, plan_of):
    orders = [Order(roster(plan_of(split=f'"{split}"'), "f")[0], b"", "f", None) for split in ("dev", "test")]
    assert orders[0].entry.grant_id == orders[1].entry.grant_id
    crews = [DaskCrew(cluster.scheduler_address, task=lambda order: (order.entry.split,)) for _ in orders]
    try:
        done = [next(iter(crew.work([order]))) for crew, order in zip(crews, orders, strict=True)]
    finally:
        for crew in crews:
            crew.close()
    assert [each.trials for each in done] == [("dev",), ("test",)]


def test_workers_leave_both_ways_of_ending_to_whoever_started_them():
    script = (
        "import signal; from faceward_sim.campaign.crew import _begin; _begin();"
        "print(signal.getsignal(signal.SIGINT) == signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "True\n"


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_tests_something_else_ends_the_run(cluster, plan_of):
    def task(order: Order):
        raise SetUpError("elsewhere has other gates installed")

    crew = DaskCrew(cluster.scheduler_address, task=task)
    try:
        with pytest.raises(CrewError, match="other gates"):
            list(crew.work(Order(entry, b"", "frozen", None) for entry in roster(plan_of(), "f")[:1]))
    finally:
        crew.close()


@pytest.mark.filterwarnings("ignore")
def test_no_scheduler_is_told_with_its_address():
    with pytest.raises(CrewError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        DaskCrew("tcp://127.0.0.1:9", timeout_s=1.0)
