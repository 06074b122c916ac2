"""Commands for models: `prompt show` and `probe`. Only `probe` calls a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from review_copilot.bootstrap.reviewing import image_fetcher, model_setup
from review_copilot.domain.suggestion import Brief
from review_copilot.errors import SettingsError
from review_copilot.inspectors.assembly import endpoint_chat, local_chat, openai_inspector, profile_of
from review_copilot.inspectors.model_inspector import show
from review_copilot.inspectors.probe import ProbeReport, describe, probe
from review_copilot.inspectors.profiles import read_profiles, write_profiles
from review_copilot.library import load_guideline, own_file
from review_copilot.plugin.contract_suite import as_image
from review_copilot.ports import Shared
from review_copilot.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Show what is sent to a model.")
    group.command("show")(prompt_show)
    group.callback()(lambda: None)  # keeps `show` a subcommand, although it is the only one
    app.add_typer(group, name="prompt")
    app.command("probe")(probe_endpoint)


def prompt_show(
    image: Annotated[Path | None, typer.Argument(help="Image file. Default: a gray image of 12 megapixels.")] = None,
    guideline: Annotated[str | None, typer.Option(help="Built-in guideline, or the path of a YAML file.")] = None,
    prompt: Annotated[str, typer.Option(help="Text prompt that a generated image was made from.")] = "",
) -> None:
    """Print the request for a model, without sending it."""
    settings = load_settings(**({"guideline": guideline} if guideline else {}))
    setup = replace(model_setup(settings), model=settings.model or "any-model", budget_usd=None)
    inspector = openai_inspector(setup, shared=Shared())
    gray = np.full((3024, 4032, 3), 128, np.uint8)
    loaded = image_fetcher(settings, plain_files=True).load(str(image)) if image else as_image(gray)
    brief = Brief(loaded, load_guideline(settings.guideline), prompt=prompt)
    question, _ = inspector.question(brief)
    estimate = inspector.estimate([(loaded.width_px, loaded.height_px)] * 1000, guideline=brief.guideline, price=None)
    typer.echo(show(question))
    share = estimate.cacheable_tokens / estimate.prompt_tokens
    typer.echo(f"# for 1,000 such images, the provider's cache can serve {share:.0%} of the prompt tokens")


def probe_endpoint(
    out: Annotated[Path | None, typer.Option(help="Profile file to write. Default: MODEL_PROFILES.")] = None,
    local: Annotated[bool, typer.Option("--local", help="Probe a local model instead of an endpoint.")] = False,
) -> None:
    """Detect which box format a model uses, and store it as a profile."""
    settings = load_settings()
    if not settings.model:
        raise SettingsError("No model is set.", hint="Set REVIEW_COPILOT_MODEL and REVIEW_COPILOT_MODEL_BASE_URL.")
    setup = model_setup(settings)
    file = out or settings.model_profiles or Path("model-profiles.yaml")
    known = [
        profile for text in own_file(file, missing_is_fine=True) for profile in read_profiles(text, name=file.name)
    ]
    if local:
        report = probe(local_chat(setup), profile=profile_of(setup))
    else:
        chat = endpoint_chat(setup)
        typer.echo(f"{setup.model} replies in the format {chat.probe().way.value}.")
        report = probe(chat, profile=profile_of(setup))
    _show_probe(report)
    found = report.profile(profile_of(setup), model=setup.model)
    others = [profile for profile in known if profile.name != found.name]
    try:
        file.write_text(write_profiles([found, *others]), encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be written: {error.strerror}.", hint="Choose another file with --out."
        ) from error
    typer.echo(f"Profile {found.name} is stored in {file}.")
    if file != settings.model_profiles:
        typer.echo(f"To use it, set REVIEW_COPILOT_MODEL_PROFILES={file}")


def _show_probe(report: ProbeReport) -> None:
    table = Table("box format", "error", title=f"{report.answered} of {report.asked} replies contained a box")
    for fit in report.fits:
        table.add_row(escape(describe(fit.convention)), f"{fit.error:.2%}")
    Console().print(table)
    for failure in report.failures:
        typer.echo(f"invalid reply: {failure}")
