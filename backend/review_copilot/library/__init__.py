"""Find and read the files that people edit: guidelines, prompts, label configs. Knows no Label Studio and no model.

In a checkout, the files are in `prompts/` and `label_config/`; in an installed wheel, in `review_copilot/shipped/`.
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
    "prompt_templates",
    "shipped_label_config",
    "source_of_guideline",
]

PROMPT_TEMPLATES = ("inspect.system.md.j2", "inspect.user.md.j2", "second_look.md.j2")
"""Names of the prompt templates: what all tasks share, one task, and a second look."""

_PACKAGE = Path(__file__).resolve().parents[1]


def guideline_names() -> tuple[str, ...]:
    """Names of the built-in guidelines, in alphabetical order."""
    return tuple(sorted(path.stem for path in (_shipped_folder("prompts") / "guidelines").glob("*.yaml")))


def load_guideline(name_or_path: str) -> Guideline:
    """Read a guideline with strict validation.

    Args:
        name_or_path: A built-in name such as "photo-quality", or the path of a YAML file: a text that ends in `.yaml`
            or `.yml` or contains a slash is a path.

    Raises:
        GuidelineError: The file is missing or invalid; each problem names the file, the line, and the fix.
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
            hint = (
                f'Did you mean "{near[0]}"?'
                if near
                else f"Built-in guidelines: {', '.join(known)}. You can also use the path of a .yaml file."
            )
            raise GuidelineError(f'There is no guideline named "{name_or_path}".', hint=hint)
        path = _shipped_folder("prompts") / "guidelines" / f"{name_or_path}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise GuidelineError(f"The guideline file {path} does not exist.", hint="Check the path.") from error
    except UnicodeDecodeError as error:
        raise GuidelineError(f"{path.name} is not UTF-8 text.", hint="Save it as UTF-8.") from error
    except OSError as error:
        raise GuidelineError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path and its permissions."
        ) from error
    return path, text


def prompt_source(name: str) -> str:
    """The text of a built-in prompt template, such as "inspect.md.j2".

    Raises:
        PromptError: There is no such template.
    """
    try:
        return (_shipped_folder("prompts") / name).read_text(encoding="utf-8")
    except OSError as error:
        raise PromptError(
            f'There is no prompt template "{name}".', hint="The templates are in the folder prompts/."
        ) from error


def prompt_templates(folder: Path | None) -> tuple[str, ...]:
    """The texts of `PROMPT_TEMPLATES`, in that order; the built-in text for a template that the folder does not have.

    Args:
        folder: The user's templates; None for the built-in ones.

    Raises:
        PromptError: The folder has none of the templates, or one cannot be read.
    """
    if folder is None:
        return tuple(prompt_source(name) for name in PROMPT_TEMPLATES)
    own = [folder / name for name in PROMPT_TEMPLATES]
    if not any(path.is_file() for path in own):
        raise PromptError(
            f"{folder} contains no prompt template.", hint=f"Their names are {', '.join(PROMPT_TEMPLATES)}."
        )
    try:
        return tuple(path.read_text(encoding="utf-8") if path.is_file() else prompt_source(path.name) for path in own)
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(
            f"A prompt template in {folder} cannot be read.", hint="Check its permissions, and that it is UTF-8 text."
        ) from error


def own_file(path: Path | None, *, missing_is_fine: bool = False) -> tuple[str, ...]:
    """The text of a file that the user provides, such as a price table; empty if there is no file.

    Args:
        path: The file; None if the user has none.
        missing_is_fine: Whether a missing file counts as none.

    Raises:
        LibraryError: It cannot be read.
    """
    if path is None or (missing_is_fine and not path.exists()):
        return ()
    try:
        return (path.read_text(encoding="utf-8"),)
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(
            f"{path} cannot be read.", hint="Check the path, its permissions, and that the file is UTF-8 text."
        ) from error


def shipped_label_config(guideline_id: str) -> str:
    """The built-in label config of a guideline, as XML.

    Raises:
        LibraryError: There is none for it.
    """
    try:
        return (_shipped_folder("label_config") / f"{guideline_id}.xml").read_text(encoding="utf-8")
    except OSError as error:
        raise LibraryError(
            f'There is no built-in label config for the guideline "{guideline_id}".',
            hint=f"Generate it: review-copilot label-config --guideline {guideline_id}",
        ) from error


def _shipped_folder(name: str) -> Path:
    """The folder of that name: in the wheel if it exists, otherwise in the checkout."""
    shipped = _PACKAGE / "shipped" / name
    return shipped if shipped.is_dir() else _PACKAGE.parents[1] / name
