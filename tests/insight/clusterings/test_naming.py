"""Names: short, in the definition's words, true, and no two alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimwell.core.definitions import Label
from aimwell.core.text import Text
from aimwell.insight.clusterings.definition import ClusteringFeature
from aimwell.insight.clusterings.naming import Named, Vocabulary, name_groups, nameless
from aimwell.insight.clusterings.traits import Sketch, Trait
from aimwell.insight.features.family import Column

WORDS = {
    "visits": ClusteringFeature(
        feature="visits", high=Label(zh="每周", en="weekly"), low=Label(zh="少来", en="occasional")
    ),
    "basket": ClusteringFeature(
        feature="basket", high=Label(zh="大篮", en="big-basket"), low=Label(zh="小篮", en="small-basket")
    ),
    "evening": ClusteringFeature(feature="evening"),
}
COLUMNS = {
    "visits": Column("visits", Text("购买次数（近84天）", "Orders (last 84 days)"), "integer", Text("", "")),
    "basket": Column("basket", Text("客单价", "Average order"), "money", Text("", "")),
    "evening": Column("evening", Text("傍晚占比", "Evening share"), "share", Text("", "")),
}
SHOP = Vocabulary(Text("家庭", "households"), COLUMNS, WORDS)


def trait(feature: str, delta: float, held: float = 1.0) -> Trait:
    return Trait(feature, delta, 2.0, 1.0, by_median=False, held=held)


def named(*groups: tuple[Trait, ...], before: dict[int, tuple[tuple[str, bool], ...]] | None = None) -> list[Named]:
    sketches = [Sketch(place, traits, ()) for place, traits in enumerate(groups)]
    return name_groups(sketches, SHOP, before or {})


def test_two_traits_read_in_the_order_of_the_definition() -> None:
    [one] = named((trait("basket", 0.9), trait("visits", 0.6)))
    assert one.name == Text("每周大篮家庭", "Weekly big-basket households")
    assert one.traits == (("basket", True), ("visits", True))


def test_a_feature_without_words_of_its_own_is_told_by_its_label() -> None:
    [one] = named((trait("evening", 0.9), trait("visits", -0.6)))
    assert one.name == Text("傍晚占比高的少来家庭", "Occasional households with high evening share")


def test_a_name_never_claims_what_is_small_or_does_not_hold() -> None:
    small, shaky, nothing = named((trait("basket", 0.4), trait("visits", 0.2)), (trait("visits", 0.9, held=0.5),), ())
    assert small.name == Text("普通家庭（偏大篮）", "Average households, leaning to big-basket")
    assert shaky.name == Text("普通家庭（1）", "Average households (1)")
    assert nothing.name == Text("普通家庭（2）", "Average households (2)")


def test_two_groups_that_would_read_the_same_say_one_trait_more() -> None:
    first, second = named(
        (trait("basket", 0.9), trait("visits", 0.6), trait("evening", 0.5)),
        (trait("basket", 0.8), trait("visits", 0.7), trait("evening", -0.35)),
    )
    assert first.name.en == "Weekly big-basket households with high evening share"
    assert second.name.en == "Weekly big-basket households, leaning to low evening share"
    assert second.name.zh == "每周大篮家庭（偏傍晚占比低）"


def test_a_name_stays_while_it_is_true_and_says_the_most_telling_thing() -> None:
    now = (trait("basket", 0.9), trait("evening", 0.7), trait("visits", 0.65))
    kept = (("basket", True), ("visits", True))
    assert named(now, before={0: kept})[0].name.en == "Weekly big-basket households"
    assert named(now)[0].name.en == "Big-basket households with high evening share"
    # What was true has become small, the opposite, or the lesser thing: then the name changes.
    for changed in (
        (trait("basket", 0.9), trait("evening", 0.7), trait("visits", 0.4)),
        (trait("basket", 0.9), trait("evening", 0.7), trait("visits", -0.65)),
        (trait("evening", 0.9), trait("basket", 0.7)),
    ):
        assert named(changed, before={0: kept})[0].name.en != "Weekly big-basket households"


def test_groups_of_which_nothing_is_sure_are_numbered() -> None:
    people = Text("家庭", "households")
    assert [one.name.zh for one in nameless(people, 2)] == ["家庭第 1 群", "家庭第 2 群"]
    assert nameless(people, 1)[0].name == Text("全部家庭", "All households")


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(sorted(WORDS)), st.floats(-1, 1), st.floats(0, 1)),
            max_size=3,
            unique_by=lambda one: one[0],
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_two_groups_ever_carry_the_same_name(groups: list[list[tuple[str, float, float]]]) -> None:
    found = named(*(tuple(trait(*each) for each in group) for group in groups))
    assert len({one.name.zh for one in found}) == len({one.name.en for one in found}) == len(groups)
    for group, one in zip(groups, found, strict=True):
        sure = {(feature, delta > 0) for feature, delta, held in group if abs(delta) >= 0.33 and held >= 0.8}
        assert set(one.traits) <= sure
