"""The complete error tree. Imports nothing.

CopilotError                     hint, retryable, public message
|-- SettingsError                a setting is missing or wrong
|-- LibraryError                 a file that people edit is invalid
|   |-- GuidelineError           names file, line, and fix
|   `-- PromptError
|-- ImageError                   one image cannot be reviewed
|   |-- ImageNotFound            no such image on the server or disk
|   |-- ImageForbidden           host not allowed, or no permission
|   |-- ImageTooLarge            over the limit for bytes or pixels
|   |-- ImageUnreadable          not an image, truncated, empty
|   `-- ImageUnreachable         timeout or broken connection (retryable)
|-- InspectorError               an inspector could not answer
|   |-- InspectorUnavailable     unknown name, a missing extra, no such model
|   |   `-- RequestRejected      the endpoint refuses this request, and may take the next one
|   |-- ModelRefused             the model declined to answer
|   |-- ModelCutOff              the reply reached its length limit
|   |-- ModelMalformed           the reply does not match the schema
|   |-- ModelUnreachable         timeout, 5xx, connection (retryable)
|   |-- ModelRateLimited         429, with seconds to wait (retryable)
|   |-- ModelAuthError           wrong key
|   |-- ModelQuotaSpent          the account at the provider has no money or quota left
|   `-- NoFurtherCalls           a run must stop, what was drafted is kept
|       |-- BudgetSpent          the budget for model calls is used up
|       `-- ModelHalted          the endpoint fails whatever it is asked
|-- LabelStudioError             Label Studio refused or could not be reached
|   |-- LabelStudioUnreachable   (retryable)
|   |-- LabelStudioAuthError     token missing, wrong, or of a type that is disabled
|   |-- LabelStudioNotFound      no such project or task
|   |-- LabelStudioFailed        it failed on the request itself (HTTP 500)
|   |-- LabelStudioRejected      it found the request invalid (HTTP 400)
|   |-- LabelStudioRefusesAddress  private address, since 1.23.1
|   `-- LabelConfigError         the label config lacks a tag that a review needs
|-- EngineError                  the cluster of a bulk run cannot be reached, or has no workers left
|-- RequestAbandoned             the request was canceled before work on it began
|-- StoreError                   the database
|   `-- StoreBusy                locked or unreachable (retryable)
|-- ExtraMissing                 a feature's optional package is not installed
|-- DemoFailed                   a process of the demo did not start
`-- BadRequest                   a request that the web layer cannot read
"""

from __future__ import annotations


class CopilotError(Exception):
    """Base class of every error that this product raises deliberately.

    Attributes:
        public: What went wrong, in one sentence that is safe to show to anyone: no secrets, no server paths.
        hint: How to fix it, in one sentence; empty when there is nothing to do.
        retryable: Whether the same call may succeed later.
    """

    retryable: bool = False

    def __init__(self, public: str, *, hint: str = "") -> None:
        super().__init__(public)
        self.public = public
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.public} {self.hint}".strip()


class SettingsError(CopilotError):
    """A setting is missing or wrong."""


class LibraryError(CopilotError):
    """A file that people edit (guideline, prompt, label config) is missing or invalid."""


class GuidelineError(LibraryError):
    """A guideline file is invalid. The message names the file, the line, and the fix."""


class PromptError(LibraryError):
    """A prompt template is invalid or uses a variable that it does not receive."""


class ImageError(CopilotError):
    """One image cannot be reviewed."""


class ImageNotFound(ImageError):
    """The image does not exist on the server or the disk."""


class ImageForbidden(ImageError):
    """The settings do not allow the host, or the server denied access."""


class ImageTooLarge(ImageError):
    """The image exceeds the limit for bytes or pixels."""


class ImageUnreadable(ImageError):
    """The data is not an image, or the image is corrupt."""


class ImageUnreachable(ImageError):
    """The image could not be fetched in time."""

    retryable = True


class InspectorError(CopilotError):
    """An inspector could not answer.

    Attributes:
        final: Whether every other question would fail alike, until a person changes something.
        tokens: Prompt, cached and completion tokens and calls that were charged all the same; zeros where none were.
        unmetered: Calls that may have been charged and of which the provider said no usage.
        cost_usd: What all of that cost; zero where no price is known.
    """

    final: bool = False

    def __init__(self, public: str, *, hint: str = "") -> None:
        super().__init__(public, hint=hint)
        self.tokens: tuple[int, int, int, int] = (0, 0, 0, 0)
        self.unmetered: int = 0
        self.cost_usd: float = 0.0


class InspectorUnavailable(InspectorError):
    """No inspector of that name, an extra that it needs is not installed, or its endpoint has no such model."""

    final = True


class RequestRejected(InspectorUnavailable):
    """The endpoint refuses this request whatever its form; it may take another one."""

    final = False


class ModelRefused(InspectorError):
    """The model declined to answer."""


class ModelCutOff(InspectorError):
    """The model's reply reached its length limit."""


class ModelMalformed(InspectorError):
    """The model's reply does not match the schema, even after one repair attempt."""


class ModelUnreachable(InspectorError):
    """The model's endpoint timed out, failed, or could not be reached."""

    retryable = True


class ModelRateLimited(InspectorError):
    """The model's endpoint limits the request rate.

    Attributes:
        retry_after_s: Seconds that the endpoint asked to wait; None if it gave no number.
    """

    retryable = True

    def __init__(self, public: str, *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(public, hint=hint)
        self.retry_after_s = retry_after_s


class ModelAuthError(InspectorError):
    """The model's endpoint does not accept the key, or does not serve this account or region."""

    final = True


class ModelQuotaSpent(InspectorError):
    """The account at the model's provider has no money or no quota left."""

    final = True


class NoFurtherCalls(InspectorError):
    """No further model call may be made: it concerns a whole run and not one task."""


class ModelHalted(NoFurtherCalls):
    """The model's endpoint fails whatever it is asked: nothing more is sent until a pause is over."""


class BudgetSpent(NoFurtherCalls):
    """The budget for model calls is used up: no more calls are made until the budget is raised."""


class LabelStudioError(CopilotError):
    """Label Studio refused a request."""


class LabelStudioUnreachable(LabelStudioError):
    """Label Studio could not be reached in time."""

    retryable = True


class LabelStudioAuthError(LabelStudioError):
    """The token is missing, wrong, or of a type that is disabled."""


class LabelStudioNotFound(LabelStudioError):
    """Label Studio has no such project, task, or annotation."""


class LabelStudioFailed(LabelStudioError):
    """Label Studio failed on a request that it should have answered, such as one for a record it cannot read."""


class LabelStudioRejected(LabelStudioError):
    """Label Studio found a field of the request invalid."""


class LabelStudioRefusesAddress(LabelStudioError):
    """Label Studio refuses to call a private or loopback address."""


class LabelConfigError(LabelStudioError):
    """The project's label config lacks a tag that a review needs."""


class EngineError(CopilotError):
    """The cluster of a bulk run cannot be reached, or has no workers left."""


class RequestAbandoned(CopilotError):
    """The request was canceled: no caller is waiting for the result."""


class StoreError(CopilotError):
    """The database rejected or failed an operation."""


class StoreBusy(StoreError):
    """The database is locked or cannot be reached."""

    retryable = True


class ExtraMissing(CopilotError):
    """A package that an optional feature needs is not installed; the hint gives the pip command."""


class DemoFailed(CopilotError):
    """A process of the demo exited or did not respond."""


class BadRequest(CopilotError):
    """A request that the web layer cannot read."""
