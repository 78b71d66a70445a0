"""Task: give somebody a task about the customer, and go on; a wait for `task:` tells when and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from aimwell.core.comparisons import Word
from aimwell.core.text import Text
from aimwell.strategy.journeys.node import Leaving, NodeKind, NodeSettings, Scene, at_once
from aimwell.strategy.journeys.tasks import create_tasks


class TaskSettings(NodeSettings):
    """A task for somebody: what is to be done, and by whom."""

    title: Annotated[str, Field(min_length=1, max_length=200, description="what it is about, in one line")]
    owner: Word = Field(description="the member or team that gets it")
    note: str = Field(default="", max_length=2_000, description="what else they should know")


class Task(NodeKind[TaskSettings]):
    """One for each visit; it begins open, and people take it on, finish it or reject it."""

    name = "task"
    instant = True
    label = Text("创建任务", "Create task")
    about = Text("给同事创建一个任务", "give somebody a task about the customer")
    settings = TaskSettings
    example: ClassVar[Mapping[str, object]] = {"title": "Call back", "owner": "service"}

    def ports(self, settings: TaskSettings) -> tuple[str, ...]:
        return ("next",)

    def arrive(self, settings: TaskSettings, scene: Scene) -> None:
        create_tasks(scene, "task", settings.title, settings.owner, settings.note)

    def leave(self, settings: TaskSettings, scene: Scene) -> Leaving:
        return at_once("next")


TASK = Task()
