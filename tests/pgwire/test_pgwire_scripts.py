"""Every script says what happens today; a change of the protocol shows as a diff of a script."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from golden_script import check_script, scripts_beside
from session_fakes import Cluster, make_services_for
from wire_script import Script

from trilithon.query.pgwire.listener import Listener, ListenerOptions

SCRIPTS = scripts_beside(__file__)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path) -> None:
    with asyncio.Runner() as runner:
        services = make_services_for(Cluster())
        listener = Listener(
            ListenerOptions("127.0.0.1:0", connections_max=5, message_bytes_max=1 << 20),
            services,
        )
        runner.run(listener.start())
        script = Script(listener, services.engine)
        try:
            check_script(path, lambda line: runner.run(script.execute(line)))
        finally:
            runner.run(script.close())
            runner.run(listener.stop(0.1))


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) > 4
