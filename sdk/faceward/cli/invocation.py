"""What was asked before the command's own options: the home, the policy, the sensor, and how to answer."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from faceward.cli.log import Log
from faceward.cli.output import Output
from faceward.errors import ConfigError

if TYPE_CHECKING:
    from faceward.config import Home, Policy
    from faceward.host import Host


@dataclass(slots=True)
class Invocation:
    """The global options of one run. Commands get it as `ctx.obj`."""

    home_folder: Path | None = None
    policy_path: Path | None = None
    sensor: str = "usb:"
    usbip: tuple[str, ...] = ()
    verbose: bool = False
    command: str = ""
    production: bool = False
    kept: bool = False
    output: Output = field(default_factory=lambda: Output(as_json=False))
    log: Log = field(default_factory=lambda: Log(None))

    @property
    def home(self) -> Home:
        """The home folder that was asked for, or the user's own."""
        from faceward.config import Home

        return Home.default() if self.home_folder is None else Home(self.home_folder)

    def policy(self) -> Policy:
        """The policy that was asked for, or the home's. Raises: ConfigError."""
        from faceward.config import load_policy

        path = self.home.policy if self.policy_path is None else self.policy_path
        if self.policy_path is None and not path.exists():
            raise ConfigError(f"there is no policy at {path}; run `faceward keys init` first")
        return load_policy(path)

    def policy_or_development(self) -> Policy:
        """The policy, or before `keys init` the packaged one for development: to look for sensors, never to capture.

        Raises: ConfigError.
        """
        from faceward import config

        if self.policy_path is None and not self.home.policy.exists():
            return config.load_policy(Path(config.__file__).parent / "policies" / "development.toml")
        return self.policy()

    def open_host(self) -> Host:
        """The signing host over home and policy. Raises: ConfigError, PluginError, SigningError, StoreError."""
        from faceward.host import Host

        if self.policy_path is None and not self.home.policy.exists():
            raise ConfigError(f"there is no policy at {self.home.policy}; run `faceward keys init` first")
        host = Host.open(self.home, policy_path=self.policy_path, models_folder=self.models)
        self.production = host.policy.production
        return host

    def keep(self) -> None:
        """What was asked for is done and stays: an interruption no longer makes a difference, and is not heard."""
        self.kept = True
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    @property
    def models(self) -> Path:
        """The folder of face models: the home's own where it has one, else the user's, which all homes share."""
        from faceward.face.models import default_folder

        own = self.home.models
        return own if own.is_dir() else default_folder()
