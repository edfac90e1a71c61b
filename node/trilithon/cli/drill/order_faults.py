"""Drills that give orders to a healthy cluster."""

from __future__ import annotations

from typing import Final

from trilithon.cli.drill.stage import Drill, Stage
from trilithon.cli.lead import lead
from trilithon.client.sync import background_loop


def _move_leadership(stage: Stage) -> None:
    """To every full Region in turn, the leading one last."""
    config = stage.cluster.config
    leading = stage.leader().partition("/")[0]
    full = [region.name for region in config.regions if not region.witness]
    for region in [one for one in full if one != leading] + [leading]:
        stage.harm(f"order {region} to lead")
        led = background_loop.run(lead(config, region))
        stage.heal(f"{led.leader} leads")
        stage.recovered()
        stage.let_pass(1.0)


DRILLS: Final = (
    Drill(
        "move-leadership",
        "leadership moves by order, to the other Region and back",
        _move_leadership,
        rtt_ms=20,
    ),
)
