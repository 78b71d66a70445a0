"""Where files are: paths and globs inside the workspace or an installed package, and how their content is known."""

from __future__ import annotations

import difflib
import gzip
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, cast

from aimwell.core.errors import BadSource
from aimwell.store.sources.reading import FileRead, Piece

_WILD = frozenset("*?[")
_CHUNK = 1 << 20


def file_pieces(read: FileRead, folder: Path) -> list[Piece]:
    """The files that a path or glob means, sorted by name; raises BadSource when there are none."""
    root = package_folder(read.package) if read.package else folder
    if read.package and (Path(read.path).is_absolute() or ".." in Path(read.path).parts):
        raise BadSource(f"The path {read.path!r} leaves the package {read.package}", remedy="Name a file inside of it.")
    found = _matching(root, read.path)
    if not found:
        raise BadSource(
            f"There is no file {read.path!r}" + (f" in the package {read.package}" if read.package else f" in {root}"),
            remedy=_similar(root, read.path),
        )
    prefix = f"package:{read.package}/" if read.package else ""
    return [_piece(prefix, root, file) for file in found]


def package_folder(package: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = find_spec(package) if package.isidentifier() else None
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise BadSource(
            f"The package {package!r} is not installed",
            remedy=f"Install it into this environment (such as: pip install {package.replace('_', '-')}).",
        )
    return Path(places[0])


def is_there(name: str, folder: Path) -> bool:
    """Whether the file that a load once named so can still be found."""
    package, _, inside = name.removeprefix("package:").partition("/")
    try:
        return (package_folder(package) / inside if name.startswith("package:") else folder / name).is_file()
    except BadSource:
        return False


def content_of(path: Path) -> str:
    """A hash of what a file holds, the same wherever it lies and whenever it was written."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked when its name ends in .gz."""
    with path.open("rb") as packed:
        yield cast("BinaryIO", gzip.GzipFile(fileobj=packed)) if path.suffix == ".gz" else packed


def file_of(piece: Piece) -> Path:
    """The path of a piece that is a file."""
    if piece.path is None:
        raise BadSource(f"{piece.name} is no file", expected="a path")
    return piece.path


def _matching(root: Path, path: str) -> list[Path]:
    full = Path(path).expanduser()
    if not _WILD & set(path):
        one = full if full.is_absolute() else root / full
        return [one] if one.is_file() else []
    anchor = Path(full.anchor) if full.is_absolute() else root
    pattern = str(full.relative_to(anchor)) if full.is_absolute() else str(full)
    return sorted(file for file in anchor.glob(pattern) if file.is_file() and not file.name.startswith((".", "~$")))


def _piece(prefix: str, root: Path, file: Path) -> Piece:
    shown = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()
    state = file.stat()
    return Piece(prefix + shown, file, state.st_size, state.st_mtime_ns)


def _similar(root: Path, path: str) -> str:
    full = root / Path(path).expanduser()
    parent = full.parent
    while _WILD & set(str(parent)) and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        return f"The folder {parent} does not exist."
    names = sorted(child.name for child in parent.iterdir() if not child.name.startswith("."))
    close = difflib.get_close_matches(full.name, names, 3, 0.5)
    if close:
        return f"Did you mean {', '.join(close)}?"
    return (
        f"The folder {parent} holds {', '.join(names[:5])}{', …' if len(names) > 5 else ''}."
        if names
        else f"The folder {parent} is empty."
    )
