"""The script `trilithon`: says what to install where only the client SDK is."""

from __future__ import annotations

import sys


def main() -> None:
    try:
        from trilithon.cli.main import main as run
    except ModuleNotFoundError as error:
        sys.exit(
            f"the command needs the server's packages ({error.name} is missing): "
            "pip install 'trilithon[server]'"
        )
    run()
