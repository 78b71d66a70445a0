"""Names of groups in words that a marketer would use, made of what surely sets each group apart.

A name has at most two traits (more only where two groups would otherwise read the same), each large and found again
among resampled customers. Where nothing stands out that much, the name says so. A name that was given before stays as
long as it is true, so that groups do not change their names with every fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aimwell.core.definitions import Label
from aimwell.core.text import Text
from aimwell.insight.clusterings.definition import ClusteringFeature
from aimwell.insight.clusterings.figures import short_label
from aimwell.insight.clusterings.traits import Sketch, Trait
from aimwell.insight.features.family import Column

IN_NAME = 2
Key = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Named:
    """A name, and the traits that it speaks of (with caution: the group only leans to them)."""

    name: Text
    traits: tuple[Key, ...]


@dataclass(frozen=True)
class Vocabulary:
    """The words at hand: what the grouped are called, the features in the order of the definition, and own words."""

    people: Text
    columns: Mapping[str, Column]
    words: Mapping[str, ClusteringFeature]

    def order(self, traits: Sequence[Trait]) -> list[Trait]:
        """Traits in the order in which the definition names their features: adjectives have an order too."""
        places = {name: place for place, name in enumerate(self.columns)}
        return sorted(traits, key=lambda trait: places[trait.feature])

    def own(self, trait: Trait) -> Text | None:
        """The definition's own words for a trait."""
        asked = self.words[trait.feature]
        label: Label | None = asked.high if trait.delta > 0 else asked.low
        return label.text if label else None


def name_groups(
    sketches: Sequence[Sketch], vocabulary: Vocabulary, before: Mapping[int, tuple[Key, ...]]
) -> list[Named]:
    """A name for each group, no two alike.

    before: by the place of the group, the traits of the name that it had.
    """
    chosen = [_first_choice(sketch, before.get(sketch.group, ())) for sketch in sketches]
    names = [_name(traits, vocabulary) for traits in chosen]
    for _ in range(max(len(sketch.traits) for sketch in sketches)):
        twins = [place for place, name in enumerate(names) if names.count(name) > 1]
        longer = {place: _longer(chosen[place], sketches[place]) for place in twins}
        if not any(len(traits) > len(chosen[place]) for place, traits in longer.items()):
            break
        for place, traits in longer.items():
            chosen[place], names[place] = traits, _name(traits, vocabulary)
    return [
        Named(name, tuple(trait.key for trait in traits)) for name, traits in zip(_numbered(names), chosen, strict=True)
    ]


def nameless(people: Text, count: int) -> list[Named]:
    """Names for groups of which nothing is sure: numbers."""
    if count == 1:
        return [Named(Text(f"全部{people.zh}", f"All {people.en}"), ())]
    return [Named(Text(f"{people.zh}第 {n} 群", f"Group {n} of {people.en}"), ()) for n in range(1, count + 1)]


def _first_choice(sketch: Sketch, before: tuple[Key, ...]) -> tuple[Trait, ...]:
    telling = [trait for trait in sketch.traits if trait.telling]
    known = {trait.key: trait for trait in (*sketch.traits, *sketch.others)}
    kept = tuple(known[key] for key in before if key in known)
    # What was said before stays while it is true and says what sets the group apart most.
    if telling and len(kept) == len(before) and telling[0] in kept and all(trait.telling for trait in kept):
        return kept
    return tuple(telling[:IN_NAME]) or tuple(trait for trait in sketch.traits if trait.noticeable)[:1]


def _longer(chosen: tuple[Trait, ...], sketch: Sketch) -> tuple[Trait, ...]:
    """One more trait that is sure enough, if there is any."""
    taken = {trait.feature for trait in chosen}
    more = [trait for trait in sketch.traits if trait.noticeable and trait.feature not in taken]
    return (*chosen, *more[:1])


def _name(traits: Sequence[Trait], vocabulary: Vocabulary) -> Text:
    people = vocabulary.people
    ordered = vocabulary.order(traits)
    sure = [trait for trait in ordered if trait.telling]
    leaning = [trait for trait in ordered if not trait.telling]
    name = _adjectives(sure, vocabulary) if sure else Text(f"普通{people.zh}", f"average {people.en}")
    if leaning:
        parts = [_phrase(trait, vocabulary) for trait in leaning]
        zh, en = "、".join(part.zh for part in parts), " and ".join(part.en for part in parts)
        name = Text(f"{name.zh}（偏{zh}）", f"{name.en}, leaning to {en}")
    return Text(name.zh, name.en[:1].upper() + name.en[1:])


def _adjectives(traits: Sequence[Trait], vocabulary: Vocabulary) -> Text:
    """Own words stand before the noun, labels of features after it."""
    people = vocabulary.people
    before = [own for trait in traits if (own := vocabulary.own(trait))]
    after = [_phrase(trait, vocabulary) for trait in traits if not vocabulary.own(trait)]
    zh = "".join(part.zh for part in before) + people.zh
    en = " ".join([*(part.en for part in before), people.en])
    if after:
        zh = "、".join(part.zh for part in after) + "的" + zh
        en += " with " + " and ".join(part.en for part in after)
    return Text(zh, en)


def _phrase(trait: Trait, vocabulary: Vocabulary) -> Text:
    own = vocabulary.own(trait)
    if own:
        return own
    label = short_label(vocabulary.columns[trait.feature])
    return Text(f"{label.zh}{'高' if trait.delta > 0 else '低'}", f"{'high' if trait.delta > 0 else 'low'} {label.en}")


def _numbered(names: list[Text]) -> list[Text]:
    """The names, with a number where several groups still read the same."""
    found: list[Text] = []
    for place, name in enumerate(names):
        if names.count(name) > 1:
            number = names[: place + 1].count(name)
            found.append(Text(f"{name.zh}（{number}）", f"{name.en} ({number})"))
        else:
            found.append(name)
    return found
