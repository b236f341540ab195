"""Which sensors there are: on this machine, and on USB/IP servers named on the command line.

    python examples/list_sensors.py --home HOME [HOST:PORT ...]

The home is one that `faceward keys init` made: its policy names the drivers that may look.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from faceward import FacewardError, Home, Host, find_sensors


def main() -> int:
    parser = argparse.ArgumentParser(description="List face sensors.")
    parser.add_argument("--home", type=Path, help="default: the user's own")
    parser.add_argument("--models", type=Path, help="folder of face models; default: the user's own")
    parser.add_argument("servers", nargs="*", metavar="HOST:PORT", help="USB/IP servers")
    arguments = parser.parse_args()
    home = Home(arguments.home) if arguments.home else Home.default()
    try:
        with Host.open(home, models_folder=arguments.models or Home.default().models) as host:
            found = find_sensors(host.plugins.drivers, usbip_hosts=arguments.servers)
    except FacewardError as error:
        print(f"{error} ({error.code})", file=sys.stderr)
        return error.exit_code
    for sensor in found:
        print(f"{sensor.address}  {sensor.vid:04x}:{sensor.pid:04x}  {sensor.product}  by driver {sensor.driver}")
    if not found:
        print("no sensor found", file=sys.stderr)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
