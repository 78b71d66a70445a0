"""The end of a journey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from aimwell.core.text import Text
from aimwell.strategy.journeys.node import Leaving, NodeKind, NodeSettings, Scene, at_once


class EndSettings(NodeSettings):
    """Nothing to say."""


class End(NodeKind[EndSettings]):
    """Whoever comes here has finished; the tick sees that no port leads on."""

    name = "end"
    instant = True
    label = Text("结束", "End")
    about = Text("旅程到此结束", "the journey ends here")
    settings = EndSettings
    example: ClassVar[Mapping[str, object]] = {}

    def ports(self, settings: EndSettings) -> tuple[str, ...]:
        return ()

    def leave(self, settings: EndSettings, scene: Scene) -> Leaving:
        return at_once("end")


END = End()
