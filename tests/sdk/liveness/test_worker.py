"""The gates' process: what it is shown, what it answers, and that nothing a gate does gets any further."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faceward.config import GateRef
from faceward.errors import ConfigError, PluginError
from faceward.liveness.worker import GateAnswer, GateWorker
from faceward.model.liveness import Outcome, Requirements


def _refs(*names: str) -> tuple[GateRef, ...]:
    return tuple(GateRef(name, "toys", "1.0") for name in names)


@pytest.fixture
def toys(site, gate_source):
    """Installs gates whose methods contain the test's own lines."""

    def install(**gates: dict[str, str]) -> None:
        modules = {f"toy_{name}": gate_source(f"toy-{name}", **bodies) for name, bodies in gates.items()}
        site.install("toys", modules, {f"toy-{name}": f"toy_{name}" for name in gates})

    return install


@pytest.fixture
def judge(policy_of, sensor, schedule, frame_sets, nobody):
    """Runs a whole capture through a worker and returns its answers by name, and the worker."""

    def run(*names: str, sets: int = 4, timeout_s: float = 5.0, **kwargs) -> tuple[dict[str, GateAnswer], GateWorker]:
        with GateWorker(policy_of(*_refs(*names), gate_timeout_s=timeout_s), **kwargs) as worker:
            worker.start()
            worker.open(sensor, schedule)
            for frame_set in frame_sets(sets):
                worker.observe(frame_set, nobody)
            return {answer.gate: answer for answer in worker.conclude()}, worker

    return run


def test_every_gate_sees_every_frame_and_answers(toys, judge):
    toys(a={}, b={})
    answers, worker = judge("toy-b", "toy-a", sets=20)
    assert list(answers) == ["toy-a", "toy-b"]
    for answer in answers.values():
        assert answer.problem is None
        assert answer.evidence.outcome is Outcome.LIVE
        assert answer.evidence.covered == worker.seen_digests
    assert len(worker.seen_digests) == 20 * 4


def test_a_gate_sees_the_very_pixels(toys, judge):
    check = (
        "from faceward.plugin import digest_of\n"
        "        for slot in frame_set.slots:\n"
        "            for frame in (slot.infrared, slot.depth):\n"
        "                assert frame is None or digest_of(frame.data) == frame.digest"
    )
    toys(a={"observe": check})
    answers, _ = judge("toy-a", sets=30, cells=5)
    assert answers["toy-a"].problem is None


def test_frames_can_not_be_written_by_a_gate(toys, judge):
    toys(a={"observe": "frame_set.slots[0].infrared.data[0] = 1"})
    answers, _ = judge("toy-a")
    assert "TypeError" in answers["toy-a"].problem


def test_gates_run_in_name_order_for_each_set(toys, judge):
    note = "import builtins; vars(builtins).setdefault('seen', []).append({!r} + str(frame_set.index))"
    toys(a={"observe": note.format("a")},
         b={"observe": note.format("b"), "conclude": "import builtins; raise RuntimeError(*builtins.seen)"})  # fmt: skip
    answers, _ = judge("toy-b", "toy-a", sets=3)
    assert answers["toy-b"].problem == "conclude(): RuntimeError: ('a0', 'b0', 'a1', 'b1', 'a2', 'b2')"


def test_a_gate_that_raises_loses_only_its_own_answer(toys, judge):
    toys(a={"observe": "raise ValueError('broken')"}, b={}, c={"conclude": "raise SystemExit(3)"}, d={"open": "1 / 0"})
    answers, _ = judge("toy-a", "toy-b", "toy-c", "toy-d")
    assert "ValueError: broken" in answers["toy-a"].problem
    assert answers["toy-b"].evidence.outcome is Outcome.LIVE
    assert "SystemExit" in answers["toy-c"].problem
    assert "ZeroDivisionError" in answers["toy-d"].problem


@pytest.mark.parametrize(
    "junk",
    ["return None", "return 'live'", "return Evidence('maybe', '', '')", "return Evidence(Outcome.LIVE, 1, '')",
     "return Evidence(Outcome.LIVE, '', '', (), 1.0, [b'x'])", "return Evidence(Outcome.LIVE, '', '', (), 'high')",
     "return Evidence(Outcome.LIVE, '', '', (3,), 1.0)"],
)  # fmt: skip
def test_a_gate_that_answers_junk_has_a_problem_and_no_evidence(toys, judge, junk: str):
    toys(a={"conclude": junk}, b={})
    answers, _ = judge("toy-a", "toy-b")
    assert answers["toy-a"].evidence is None
    assert answers["toy-a"].problem
    assert answers["toy-b"].evidence is not None


def test_a_gate_that_hangs_at_the_end_is_killed_and_answers_before_it_stand(toys, judge):
    toys(a={}, b={"conclude": "import time; time.sleep(600)"}, c={})
    answers, worker = judge("toy-a", "toy-b", "toy-c", timeout_s=0.5)
    assert answers["toy-a"].evidence.outcome is Outcome.LIVE
    assert "'toy-b' did not answer in time" in answers["toy-b"].problem
    assert answers["toy-c"].evidence is None
    assert worker.pid is None


def test_a_gate_that_hangs_over_a_frame_never_blocks_the_capture(toys, judge):
    toys(a={"observe": "import time; time.sleep(600)"}, b={})
    answers, worker = judge("toy-a", "toy-b", sets=30, timeout_s=0.5)
    assert "'toy-a' did not answer in time" in answers["toy-a"].problem
    assert answers["toy-b"].evidence is None
    assert "toy-a" in worker.problem


def test_a_gate_that_takes_the_process_with_it_costs_the_capture_and_nothing_else(toys, judge):
    toys(a={}, b={"observe": "import os; os._exit(1)"})
    answers, _ = judge("toy-a", "toy-b", sets=30)
    assert all(answer.evidence is None and answer.problem for answer in answers.values())


def test_a_gate_can_not_cut_the_frames_short_under_its_caller(toys, judge):
    cut = "import os\n            [os.ftruncate(int(fd), 0) for fd in os.listdir('/proc/self/fd') if _is_memory(fd)]"
    toys(a={"observe": f"try:\n            {cut}\n        except PermissionError as error: self.told = error"
                       "\n        else: os._exit(1)",
            "conclude": "assert self.told"})  # fmt: skip
    module = Path(sys.path[0], "toy_a.py")
    helper = "import os\ndef _is_memory(fd):\n    return 'faceward-frames' in os.path.realpath('/proc/self/fd/' + fd)\n"
    module.write_text(helper + module.read_text())
    answers, worker = judge("toy-a", sets=30)
    assert answers["toy-a"].problem is None
    assert len(worker.seen_digests) == 30 * 4


def test_a_gate_that_writes_into_the_pipe_costs_the_capture_and_runs_nothing_here(toys, judge):
    spray = "import os\n        open_fds = map(int, os.listdir('/proc/self/fd'))"
    spray += "\n        [os.write(fd, b'\\xff' * 64) for fd in open_fds if fd > 2 and _is_pipe(fd)]"
    helper = "import os, stat\ndef _is_pipe(fd):\n    try:\n        return stat.S_ISFIFO(os.fstat(fd).st_mode)\n"
    helper += "    except OSError:\n        return False\n"
    toys(a={})
    module = sys.path[0] + "/toy_a.py"
    source = (
        Path(module).read_text().replace("        self.covered.update", f"        {spray}\n        self.covered.update")
    )
    Path(module).write_text(helper + source)
    answers, worker = judge("toy-a", sets=30)
    assert answers["toy-a"].evidence is None
    assert worker.problem


def test_the_worker_holds_neither_the_environment_nor_files_of_the_caller(toys, judge, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("FACEWARD_SECRET", "hunter2")
    secret = os.open(tmp_path / "key.pem", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(secret, True)
    look = (
        "import os\n"
        "        names = [os.path.realpath('/proc/self/fd/' + fd) for fd in os.listdir('/proc/self/fd')]\n"
        "        names = [name.rpartition('/')[2][:15] for name in names] + [name for name in os.environ]\n"
        "        raise RuntimeError(*sorted(name for name in names if name.startswith(('key', 'FACE', 'OMP'))))"
    )
    toys(a={"conclude": look})
    try:
        answers, _ = judge("toy-a")
    finally:
        os.close(secret)
    assert answers["toy-a"].problem == "conclude(): RuntimeError: OMP_NUM_THREADS"


def test_requirements_come_from_the_worker(toys, policy_of, sensor):
    toys(a={"requirements": "return Requirements(depth=True, dots_hz=7.0)"})
    with GateWorker(policy_of(*_refs("toy-a"))) as worker:
        worker.start()
        (gate,) = worker.gates
        assert (gate.name, gate.version, gate.distribution) == ("toy-a", "7", "toys 1.0")
        assert gate.requirements(sensor) == Requirements(depth=True, dots_hz=7.0)
    assert "toy_a" not in sys.modules


@pytest.mark.parametrize(
    "line",
    ["return None", "raise OSError('no')", "return Requirements(dots_hz=float('nan'))", "return Requirements(seconds=-1)",
     "return Requirements(depth=1)", "return Requirements(flood_hz='8')", "return Requirements(seconds=1e308)",
     "return Requirements(flood_hz=10**400)"],
)  # fmt: skip
def test_requirements_that_are_none_are_a_plugin_error(toys, policy_of, sensor, line: str):
    toys(a={"requirements": line})
    with GateWorker(policy_of(*_refs("toy-a"))) as worker:
        worker.start()
        with pytest.raises(PluginError, match="toy-a"):
            worker.gates[0].requirements(sensor)


def test_a_gate_that_is_not_installed_stops_before_the_capture(site, policy_of):
    with GateWorker(policy_of(*_refs("toy-missing"))) as worker:
        worker.start()
        with pytest.raises(PluginError, match=r"install toys==1\.0"):
            _ = worker.gates


def test_a_threshold_that_a_gate_has_not_is_named(toys, policy_of):
    toys(a={})
    with GateWorker(policy_of(GateRef("toy-a", "toys", "1.0", thresholds={"limt": 1.0}))) as worker:
        worker.start()
        with pytest.raises(ConfigError, match=r"limt.*did you mean 'limit'"):
            _ = worker.gates


def test_a_gate_gets_the_policys_thresholds_over_its_own(toys, judge, policy_of, sensor, schedule):
    toys(a={"conclude": "raise KeyError(self.context.thresholds['limit'])"})
    with GateWorker(policy_of(GateRef("toy-a", "toys", "1.0", thresholds={"limit": 0.25}))) as worker:
        worker.start()
        worker.open(sensor, schedule)
        assert "0.25" in worker.conclude()[0].problem


def test_a_worker_that_does_not_start_in_time_is_a_plugin_error(toys, policy_of):
    toys(a={})
    with GateWorker(policy_of(*_refs("toy-a")), start_timeout_s=0.0) as worker:
        worker.start()
        with pytest.raises(PluginError, match="did not start"):
            _ = worker.gates


def test_a_set_too_large_for_the_room_refuses_instead_of_waiting(toys, judge):
    toys(a={})
    answers, worker = judge("toy-a", cells=3)
    assert "larger than the room" in answers["toy-a"].problem
    assert worker.problem


def test_the_worker_dies_with_its_caller(toys, tmp_path: Path):
    toys(a={"observe": "import time\n        while True: time.sleep(0.01)"})
    script = f"""
import os, sys
sys.path[:] = {sys.path!r}
sys.path.insert(0, {str(Path(__file__).parent)!r})
import conftest
from faceward.config import GateRef
from faceward.liveness.worker import GateWorker
worker = GateWorker(conftest.policy_with(GateRef("toy-a", "toys", "1.0")))
worker.start()
worker.open(conftest.SENSOR, conftest.SCHEDULE)
worker.observe(conftest.sets_of_three(1)[0], conftest.NOBODY)
print(worker.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=False)
    pid = int(done.stdout)
    end = time.monotonic() + 20
    while _is_running(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _is_running(pid)


def test_closing_twice_is_closing_once(toys, policy_of):
    toys(a={})
    worker = GateWorker(policy_of(*_refs("toy-a")))
    worker.start()
    worker.close()
    worker.close()
    assert [answer.evidence for answer in worker.conclude()] == [None]


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
