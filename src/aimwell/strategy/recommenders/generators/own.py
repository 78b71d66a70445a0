"""Own: what a customer buys again and again, the recent counting most."""

from __future__ import annotations

from dataclasses import dataclass

from aimwell.core.text import Text
from aimwell.science.arrays import IntArray
from aimwell.science.recommend.sparse import Sparse
from aimwell.strategy.recommenders.generator import Fitted, Generator, Scene
from aimwell.strategy.recommenders.past import Past


@dataclass(frozen=True)
class _Own(Fitted):
    past: Past

    def scores(self, people: IntArray) -> Sparse:
        return self.past.matrix("fading")[people]

    def reason(self, person: int, item: int) -> Text | None:
        orders = int(self.past.matrix("orders")[person, item])
        if not orders:
            return None
        days = int(self.past.matrix("last_days")[person, item])
        if orders == 1:
            return Text(f"{days} 天前买过一次", f"bought once, {days} days ago")
        return Text(f"买过 {orders} 次，最近一次在 {days} 天前", f"bought {orders} times, last {days} days ago")


class Own(Generator):
    """Frequency and recency of the customer's own purchases."""

    name = "own"
    label = Text("本人常买", "Own habit")
    meaning = Text("客户自己买过的，越近越重", "what the customer bought, the recent counting most")

    def fit(self, scene: Scene) -> Fitted:
        return _Own(scene.past)


OWN = Own()
