"""Find and read what people edit: guidelines, prompts and label configs. Knows no Label Studio and no model.

In a checkout the files lie in `prompts/` and `label_config/`; in an installed wheel in `review_copilot/shipped/`.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from review_copilot.domain.guideline import Guideline
from review_copilot.errors import GuidelineError, LibraryError, PromptError
from review_copilot.library.guideline_file import read_guideline

__all__ = [
    "guideline_names",
    "load_guideline",
    "own_file",
    "prompt_source",
    "shipped_label_config",
    "source_of_guideline",
]

_PACKAGE = Path(__file__).resolve().parents[1]


def guideline_names() -> tuple[str, ...]:
    """Names of the shipped guidelines, in alphabetical order."""
    return tuple(sorted(path.stem for path in (_shipped_folder("prompts") / "guidelines").glob("*.yaml")))


def load_guideline(name_or_path: str) -> Guideline:
    """Read a guideline strictly.

    Args:
        name_or_path: A shipped name such as "photo-quality", or the path of a YAML file: whatever ends in `.yaml` or
            `.yml` or holds a slash is a path.

    Raises:
        GuidelineError: The file is missing or wrong; each problem names file, line and mend.
    """
    path, text = _guideline_source(name_or_path)
    return read_guideline(text, guideline_id=path.stem, file=path.name)


def source_of_guideline(name_or_path: str) -> str:
    """The text of a guideline file, for keeping it with a project; see `load_guideline`.

    Raises:
        GuidelineError: The file is missing or cannot be read.
    """
    return _guideline_source(name_or_path)[1]


def _guideline_source(name_or_path: str) -> tuple[Path, str]:
    path = Path(name_or_path).expanduser()
    if path.suffix.lower() not in {".yaml", ".yml"} and len(path.parts) == 1:
        if name_or_path not in guideline_names():
            known = guideline_names()
            near = difflib.get_close_matches(name_or_path, known, n=1)
            hint = f'Did you mean "{near[0]}"?' if near else f"Shipped ones: {', '.join(known)}; or give a .yaml file."
            raise GuidelineError(f'There is no guideline named "{name_or_path}".', hint=hint)
        path = _shipped_folder("prompts") / "guidelines" / f"{name_or_path}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise GuidelineError(f"There is no guideline file {path}.", hint="Check the path.") from error
    except UnicodeDecodeError as error:
        raise GuidelineError(f"{path.name} is not UTF-8 text.", hint="Save it as UTF-8.") from error
    except OSError as error:
        raise GuidelineError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path and its rights."
        ) from error
    return path, text


def prompt_source(name: str) -> str:
    """The text of a shipped prompt template, such as "inspect.md.j2".

    Raises:
        PromptError: There is no such template.
    """
    try:
        return (_shipped_folder("prompts") / name).read_text(encoding="utf-8")
    except OSError as error:
        raise PromptError(f'There is no prompt template "{name}".', hint="Look in the folder prompts/.") from error


def own_file(path: Path | None, *, missing_is_fine: bool = False) -> tuple[str, ...]:
    """The text of a file of the user's own, such as their price table: one text, or none when there is no file.

    Args:
        path: The file; None when the user has none.
        missing_is_fine: Whether a file that is not there counts as none.

    Raises:
        LibraryError: It cannot be read.
    """
    if path is None or (missing_is_fine and not path.exists()):
        return ()
    try:
        return (path.read_text(encoding="utf-8"),)
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(
            f"{path} cannot be read.", hint="Check the path, its rights and that it is UTF-8."
        ) from error


def shipped_label_config(guideline_id: str) -> str:
    """The shipped label config of a guideline, as XML.

    Raises:
        LibraryError: None is shipped for it.
    """
    try:
        return (_shipped_folder("label_config") / f"{guideline_id}.xml").read_text(encoding="utf-8")
    except OSError as error:
        raise LibraryError(
            f'No label config is shipped for the guideline "{guideline_id}".',
            hint=f"Generate it: review-copilot label-config --guideline {guideline_id}",
        ) from error


def _shipped_folder(name: str) -> Path:
    """The folder of that name: the wheel's if it is there, else the checkout's."""
    shipped = _PACKAGE / "shipped" / name
    return shipped if shipped.is_dir() else _PACKAGE.parents[1] / name
