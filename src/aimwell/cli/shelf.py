"""The shelf of commands: all their names at once, each file imported when one of its verbs is called."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from importlib import import_module
from inspect import getdoc
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from aimwell.cli.command import Commands
from aimwell.cli.console import Session, interruptible
from aimwell.cli.options import with_shared
from aimwell.cli.outline import Outline, outline_of
from aimwell.core.registry import ClashingExtensions, instances, module_names

_FOLDER = "aimwell.cli.commands"
_ENTRY_POINTS = "aimwell.commands"


class Verb(TyperCommand):
    """A command that stands for the one in its file: it knows name and help, and has the file imported to be run."""

    def __init__(self, module: str, name: str, about: str) -> None:
        super().__init__(name, help=about)
        self.module = module

    @cached_property
    def real(self) -> Any:  # noqa: ANN401 (a command of the library below Typer, which has no public name)
        """The command itself, with its arguments and options, and those that all commands share."""
        for commands in instances(import_module(self.module), Commands):
            for found in commands.app.registered_commands:
                if found.name == self.name and found.callback is not None:
                    alone, command = typer.Typer(add_completion=False), copy(found)
                    command.callback = with_shared(found.callback)
                    alone.registered_commands.append(command)
                    return get_command(alone)
        raise AttributeError(f"{self.module} has no command {self.name!r}")

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:  # noqa: ANN401
        """From here on the command itself is asked."""
        return self.real.make_context(info_name, args, parent, **extra)


class Shelf(TyperGroup):
    """The command line with the commands of our folder and of third parties."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 (whatever Typer passes)
        super().__init__(**settings)
        outlines = [_outline(module) for module in module_names(_FOLDER, group=_ENTRY_POINTS)]
        for outline in sorted(outlines, key=lambda each: each.noun is not None):  # verbs of the top level come first
            self._place(outline)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 (as above)
        """Run the command that was asked for; an interrupt ends it with one sentence wherever it strikes."""
        with interruptible(ctx.ensure_object(Session)):
            return super().invoke(ctx)

    def _place(self, outline: Outline) -> None:
        verbs = {name: Verb(outline.module, name, about) for name, about in outline.verbs.items()}
        if outline.noun is not None:
            noun = TyperGroup(name=outline.noun, help=outline.about, no_args_is_help=True, commands=dict(verbs))
            self._add(noun, outline.noun, outline.module)
            return
        for name, verb in verbs.items():
            self._add(verb, name, outline.module)

    def _add(self, command: TyperCommand | TyperGroup, name: str, module: str) -> None:
        if name in self.commands:
            raise ClashingExtensions(
                f"Two commands are called `aimwell {name}`",
                seen=f"the second in {module}",
                remedy="Rename one of them.",
            )
        self.add_command(command)


def _outline(module: str) -> Outline:
    """What a file offers, by its text; a file whose text does not tell (compiled, computed names) is imported."""
    outline = outline_of(module)
    if outline.verbs:
        return outline
    noun, about, verbs = None, "", dict[str, str]()
    for commands in instances(import_module(module), Commands):
        noun, about = (None, "") if commands.top_level else (commands.name, str(commands.app.info.help))
        verbs |= {
            each.name: each.help or getdoc(each.callback) or ""
            for each in commands.app.registered_commands
            if each.name
        }
    return Outline(module, noun, about, verbs)
