"""Finds extensions: every module of a folder, and every entry point of third parties, on one road.

A kind of extension is a Python type. A built-in is one file in the kind's folder that holds instances (or concrete
subclasses) of that type at module level; a third party names such a module under the entry-point group
`aimwell.<kind>`. There is no list to edit.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import ModuleType
from typing import Generic, TypeVar

from aimwell.core.errors import BadInput

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Extension(Generic[T]):
    """One extension that was found: its name, the module it lives in, and the value itself."""

    name: str
    module: str
    value: T


class ClashingExtensions(BadInput):
    """Two extensions of one kind carry the same name, so that neither can be chosen."""


def discover(kind: type[T], package: str, *, named: Callable[[T], str], group: str) -> dict[str, Extension[T]]:
    """All extensions of a kind by name, sorted: the instances of `kind` in the modules of `package`, then entry points.

    kind: the class whose module-level instances are extensions.   package: dotted name of the built-ins' folder.
    named: gives an extension's name.   group: entry-point group whose entries name modules of third parties.
    Raises ClashingExtensions when two carry one name.
    """
    found: dict[str, Extension[T]] = {}
    for module in map(importlib.import_module, module_names(package, group=group)):
        for value in instances(module, kind):
            name = named(value)
            if name in found and found[name].value is not value:
                raise ClashingExtensions(
                    f"Two extensions of kind {kind.__name__} are called {name!r}",
                    seen=f"{found[name].module} and {module.__name__}",
                    remedy="Rename one of them.",
                )
            found.setdefault(name, Extension(name, module.__name__, value))
    return dict(sorted(found.items()))


def module_names(package: str, *, group: str) -> list[str]:
    """The modules in which extensions stand, not yet imported: those of the folder, then those that third parties name.

    package: dotted name of the built-ins' folder.   group: entry-point group.   Each part is sorted by name.
    """
    root = importlib.import_module(package)
    ours = sorted(found.name for found in pkgutil.iter_modules(root.__path__, f"{package}."))
    return ours + [point.module for point in sorted(entry_points(group=group), key=lambda point: point.name)]


def instances(module: ModuleType, kind: type[T]) -> list[T]:
    """What a module offers of a kind: the instances at its top level, alone or in a tuple or list."""
    found: list[T] = []
    for value in vars(module).values():
        members = value if isinstance(value, tuple | list) else (value,)
        found += [member for member in members if isinstance(member, kind)]
    return found
