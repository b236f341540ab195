"""What holds for every test of the project."""

from __future__ import annotations

import fcntl
import hashlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pytest

# Workers share the cores: a library that starts a thread for each core makes them wait for one another.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
    os.environ.setdefault(_threads, "1")

if TYPE_CHECKING:
    from faceward.config import Home
    from faceward.host import Host
    from faceward_sim.firmware.device import Firmware

# In CI a test may be skipped only for what an installation can't bring: data that is not the project's, or a kernel.
ALLOWED_SKIPS = ("shared data absent", "not installable:")


# Files of whole paths, whose tests take minutes: a core that draws one last leaves the others idle.
LONG_ONES_FIRST = ("enrollment", "docs", "examples", "firmware_sim/campaign", "cli", "attacks", "conformance")


def _skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr or "")


def refused_skip(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    """The reason of a skip that CI doesn't accept, or None."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return None
    reason = _skip_reason(report)
    return None if reason.startswith(ALLOWED_SKIPS) else reason


class SkipsFail:
    """Fails the run for each skip whose reason is not one of ALLOWED_SKIPS."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = refused_skip(report)
        if reason is not None:
            self.refused.append(f"{report.nodeid}: {reason}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.refused and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.refused:
            terminalreporter.write_line(f"skipped, which CI does not accept: {line}", red=True)


def _first_seed(text: str) -> int | str:
    return text if text == "random" else int(text)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faceward")
    group.addoption(
        "--first-seed",
        type=_first_seed,
        default=None,
        metavar="SEED|random",
        help="seed of the first simulated person or attacker of each test, or random; each test's own if absent",
    )
    group.addoption(
        "--promise-runs",
        type=int,
        default=None,
        help="random runs, of 40 steps each, of tests/attacks/test_promise.py; without it, the same 20 every time",
    )


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell gives its background jobs this, and tests interrupt themselves.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # pytest-xdist would hand out files with many tests first, and those are the quick ones.
    config.option.loadscopereorder = False
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(SkipsFail(), "skips-fail")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a test that waits, for a disk or another process, leaves its core to the next."""
    return len(os.sched_getaffinity(0)) + 1


def _place(item: pytest.Item) -> int:
    folder = item.path.parent.relative_to(Path(__file__).parent).as_posix()
    found = [number for number, name in enumerate(LONG_ONES_FIRST) if f"{folder}/".startswith(f"{name}/")]
    return min(found, default=len(LONG_ONES_FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_place)


class Bench:
    """Development hosts, each with a simulated sensor and somebody before it; all are closed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open = ExitStack()
        self._homes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def home(self) -> Home:
        """A new home, set up as `faceward keys init` does it."""
        from faceward.config import Home, development_policy
        from faceward.signing.file_kek import FileKeyProvider
        from faceward.signing.file_key import FileKeySigner

        self._homes += 1
        home = Home(self.folder / f"home{self._homes}")
        home.keys.mkdir(mode=0o700, parents=True)
        FileKeySigner.create(home.keys / "signer.pem")
        FileKeyProvider.create(home.keys / "store.kek")
        home.policy.write_bytes(development_policy())
        return home

    def host_before(
        self,
        actor: str = "live",
        seed: int = 7,
        *,
        distance_mm: float = 400.0,
        tone: float | None = None,
        faults: Sequence[str] = (),
        home: Home | None = None,
        firmware: Firmware | None = None,
        clock: Callable[[], float] = time.time,
    ) -> Host:
        """A host whose sensor, `usb:`, looks at the actor; `firmware` is a sensor that was built before."""
        from faceward.face.models import default_folder
        from faceward.host import Host
        from faceward_sim.ports.inprocess import get_backend
        from faceward_sim.rig import build_firmware, with_faults

        built = firmware or build_firmware("sl-940", actor, seed, distance_mm=distance_mm, tone=tone)
        backend = get_backend(with_faults(built, faults))
        self._open.callback(backend.close)
        host = Host.open(home or self.home(), models_folder=default_folder(), clock=clock, backend=backend)
        self._open.callback(host.close)
        return host


@pytest.fixture(scope="session")
def draw_seed(request: pytest.FixtureRequest) -> Callable[[str], int]:
    """Draws a seed that nobody tuned on (those are below 1,000), by a name, and prints it.

    A name has the same seed in every run: whether a change is good is not to hang on who came this time. New people are
    met with `--first-seed=random`, the same again with `--first-seed=SEED`.
    """
    given = request.config.getoption("--first-seed")

    def draw(name: str) -> int:
        if given is None:
            drawn = 10_000 + int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") % 990_000
        else:
            drawn = random.SystemRandom().randrange(10_000, 1_000_000) if given == "random" else int(given)
        print(f"seed {drawn} (again: --first-seed={drawn})")
        return drawn

    return draw


@pytest.fixture
def seed(
    request: pytest.FixtureRequest, draw_seed: Callable[[str], int], record_property: Callable[[str, object], None]
) -> int:
    """The test's own drawn seed."""
    drawn = draw_seed(request.node.nodeid)
    record_property("seed", drawn)
    return drawn


@pytest.fixture(scope="session")
def new_bench() -> type[Bench]:
    """`with new_bench(folder) as bench`, for fixtures that outlive a test."""
    return Bench


@pytest.fixture(scope="session")
def enrolled_homes(
    new_bench: type[Bench], draw_seed: Callable[[str], int], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Two homes, made once for all workers, so that tests change nothing in them: `alice` is enrolled in both, `bob`
    in `both` alone."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    homes = shared / "enrolled"
    with (shared / "enrolled.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not homes.exists():
            begun = tmp_path_factory.mktemp("enrolled")
            with new_bench(begun) as bench:
                home = bench.home()
                _enroll_at_last(bench, home, "alice", draw_seed("enrolled alice"))
            shutil.copytree(home.folder, begun / "alice")
            with new_bench(begun) as bench:
                _enroll_at_last(bench, home, "bob", draw_seed("enrolled bob"))
            home.folder.rename(begun / "both")
            begun.rename(homes)
    return homes


def _enroll_at_last(bench: Bench, home: Home, name: str, seed: int) -> None:
    """With a second grant where the first was used up: about one living capture in 170 is refused (simulated)."""
    from faceward.enrollment import enroll
    from faceward.errors import CaptureRejected, EnrollmentRefused

    host = bench.host_before("live", seed, home=home)
    try:
        enroll(host, name)
    except (CaptureRejected, EnrollmentRefused):
        enroll(host, name)


@pytest.fixture(scope="session")
def host_in() -> Callable[[Home], Host]:
    """Opens a home on a machine without any sensor: whoever looks for one gets DeviceNotFound."""

    def open_host(home: Home) -> Host:
        from faceward.face.models import default_folder
        from faceward.host import Host
        from faceward_sim.ports.inprocess import get_backend

        return Host.open(home, models_folder=default_folder(), backend=get_backend())

    return open_host


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """The test's own bench."""
    with Bench(tmp_path) as made:
        yield made


@pytest.fixture
def host_before(bench: Bench) -> Callable[..., Host]:
    """See Bench.host_before."""
    return bench.host_before


@pytest.fixture(scope="session")
def _person(draw_seed: Callable[[str], int]) -> Firmware:
    from faceward_sim.rig import build_firmware

    return build_firmware("sl-940", "live", draw_seed("person"))


@pytest.fixture
def sitter(_person: Firmware) -> Firmware:
    """One living person before one sensor, for test after test: faults of the test before are taken away."""
    sound = vars(_person).setdefault("_sound_imager", _person.imager)
    _person.imager = sound
    _person.conditions.clear()
    return _person


@pytest.fixture
def attempts_of() -> Callable[[Host], list[str | None]]:
    """How each attempt of a host ended, oldest first; None for one that was never ended."""

    def results(host: Host) -> list[str | None]:
        from faceward.store.database import ATTEMPTS
        from sqlalchemy import select

        with host.database.transaction() as connection:
            return list(connection.execute(select(ATTEMPTS.c.result).order_by(ATTEMPTS.c.attempt)).scalars())

    return results


@pytest.fixture
def keeps_the_promise(attempts_of: Callable[[Host], list[str | None]]) -> Callable[..., None]:
    """Asserts what holds after every refusal.

    Nothing is stored, each attempt was spent and ended as told and has its entry in an audit log whose chain verifies,
    no grant has an attempt left after a detection, and the sensor does not stream.
    """

    def check(host: Host, *, attempts: Sequence[str], grants: int = 1) -> None:
        from faceward.store.database import GRANTS
        from sqlalchemy import select

        assert host.templates.list() == ()
        assert attempts_of(host) == list(attempts)
        entries = host.audit.entries()
        assert [entry.event for entry in entries] == ["enrollment-refused"] * len(attempts)
        assert [entry.details["result"] for entry in entries] == list(attempts)
        with host.database.transaction() as connection:
            left = list(connection.execute(select(GRANTS.c.attempts_left)).scalars())
        assert len(left) == (grants if attempts else 0)
        if attempts and attempts[-1] == "not-live":
            assert left == [0] * grants
        assert not any(sensor.firmware.streaming for sensor in host.backend.sensors)

    return check


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """A folder of real captures, which are not the project's to hold: FACEWARD_SHARED_DATA, or shared/data beside it."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"

    def folder(name: str) -> Path:
        found = Path(os.environ.get("FACEWARD_SHARED_DATA", beside), name)
        if not found.is_dir():
            pytest.skip(f"shared data absent: {name}")
        return found

    return folder


SOFTHSM = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib/pkcs11/libsofthsm2.so")


@pytest.fixture(scope="session")
def softhsm_tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of SoftHSM's tokens; its configuration names it for this process and those that it starts."""
    folder = tmp_path_factory.mktemp("softhsm")
    tokens = folder / "tokens"
    tokens.mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    # The module reads it once, when it is first loaded.
    os.environ["SOFTHSM2_CONF"] = str(settings)
    return tokens


@pytest.fixture(scope="session")
def softhsm(softhsm_tokens: Path) -> Path:
    """SoftHSM's module, with a token `lock` whose PIN is 76543210."""
    module = next((Path(path) for path in SOFTHSM if Path(path).exists()), None)
    tool = shutil.which("softhsm2-util")
    if module is None or tool is None:
        pytest.skip("not installable: SoftHSM (Debian's package softhsm2), which .ci/run installs where it may")
    subprocess.run(
        [tool, "--init-token", "--free", "--label", "lock", "--so-pin", "12345678", "--pin", "76543210"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return module
