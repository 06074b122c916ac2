"""Give a project of an earlier release the setup that it was drafted with, and never draft it with another one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from review_copilot.bootstrap.reviewing import blind_share_of
from review_copilot.domain.review import ProjectKey, Provenance
from review_copilot.domain.setup import ProjectSetup
from review_copilot.errors import LibraryError, SettingsError
from review_copilot.library import guideline_names, load_guideline, source_of_guideline
from review_copilot.ports import Setups
from review_copilot.settings import Settings


def own_setup(project: ProjectKey, *, setups: Setups, settings: Settings) -> ProjectSetup | None:
    """The project's own setup. If an earlier release drafted the project, its setup is stored at the first call.

    Returns:
        None if the project has no setup of its own, so that the settings apply.
    """
    version = setups.setup(project)
    if version is not None:
        return version.setup
    made = setups.drafted_before_setups(project)
    setup = setup_drafted_with(made, project=project, settings=settings) if made else None
    return setups.store_setup(project, setup).setup if setup else None


def setup_drafted_with(made: Provenance, *, project: ProjectKey, settings: Settings) -> ProjectSetup | None:
    """The setup under which the project's drafts keep their draft version, in an unchanged release.

    The guideline is searched among that of the settings and the built-in ones, by its revision. Everything else that
    earlier releases did not store per project comes from the settings.

    Returns:
        None if no guideline has that revision.
    """
    for name in dict.fromkeys((settings.guideline, *guideline_names())):
        with suppress(LibraryError):
            guideline = load_guideline(name)
            if guideline.revision == made.guideline_revision:
                return ProjectSetup(
                    guideline_id=guideline.id,
                    guideline_text=source_of_guideline(name),
                    guideline_revision=guideline.revision,
                    inspector=made.inspector,
                    min_score=settings.min_score,
                    second_look=settings.model_second_look,
                    blind_share=blind_share_of(settings).of(project.project_id),
                )
    return None


def refuse_unknown_setup(made: Provenance | None, *, project: ProjectKey, setup: ProjectSetup) -> None:
    """Stop before a project of an earlier release is drafted with another guideline or inspector.

    Args:
        made: What the project was drafted with; None if its setup is known.
        project: The project.
        setup: What would draft it now.

    Raises:
        SettingsError: It would be drafted with something else.
    """
    if made is None:
        return
    was = replace(
        setup, guideline_id=made.guideline_id, guideline_revision=made.guideline_revision, inspector=made.inspector
    )
    refuse_other_setup(was, wanted=setup, project_id=project.project_id)


def refuse_other_setup(setup: ProjectSetup, *, wanted: ProjectSetup, project_id: int) -> None:
    """Stop before a project is drafted with another guideline or inspector than that of its setup.

    Raises:
        SettingsError: They differ; it names both, and the command that changes the setup.
    """
    differing = [
        (name, was, now)
        for name, was, now in (
            ("guideline", _guideline(setup), _guideline(wanted)),
            ("inspector", setup.inspector, wanted.inspector),
        )
        if was != now
    ]
    if differing:
        both = "; ".join(f"{name} {was}, not {now}" for name, was, now in differing)
        options = "".join(
            f" --{name} {wanted.inspector if name == 'inspector' else wanted.guideline_id}" for name, _, _ in differing
        )
        raise SettingsError(
            f"Project {project_id} is drafted with {both}.",
            hint=f"Nothing was drafted. To change the project: review-copilot connect --project {project_id}{options} "
            "(or the path of a guideline file).",
        )


def _guideline(setup: ProjectSetup) -> str:
    return f"{setup.guideline_id} (revision {setup.guideline_revision})"
