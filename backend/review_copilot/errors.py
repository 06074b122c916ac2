"""The whole error tree. Knows nothing but itself.

CopilotError                     hint, retryable, public message
|-- SettingsError                a setting is missing or wrong
|-- LibraryError                 a file that people edit is wrong
|   |-- GuidelineError           names file, line and mend
|   `-- PromptError
|-- ImageError                   one image cannot be reviewed
|   |-- ImageNotFound            the server or disk says it is not there
|   |-- ImageForbidden           host not allowed, or no permission
|   |-- ImageTooLarge            over the limit on bytes or pixels
|   |-- ImageUnreadable          not an image, truncated, empty
|   `-- ImageUnreachable         time-out or broken connection (retryable)
|-- InspectorError               an inspector could not answer
|   |-- InspectorUnavailable     unknown name, or a missing extra
|   |-- ModelRefused             the model declined to answer
|   |-- ModelCutOff              the answer ended at its length limit
|   |-- ModelMalformed           the answer does not fit the schema
|   |-- ModelUnreachable         time-out, 5xx, connection (retryable)
|   |-- ModelRateLimited         429, with seconds to wait (retryable)
|   |-- ModelAuthError           wrong key
|   `-- BudgetSpent              the money set aside for model calls is spent
|-- LabelStudioError             Label Studio refused or could not be reached
|   |-- LabelStudioUnreachable   (retryable)
|   |-- LabelStudioAuthError     token missing, wrong or of a kind that is switched off
|   |-- LabelStudioNotFound      no such project or task
|   |-- LabelStudioRefusesAddress  private address, since 1.23.1
|   `-- LabelConfigError         the label config lacks what a review needs
|-- EngineError                  the cluster of a bulk run cannot be reached, or nobody is left on it
|-- RequestAbandoned                  the work was taken back before it began
|-- StoreError                   the database
|   `-- StoreBusy                locked or out of reach (retryable)
|-- ExtraMissing                 a feature's optional package is not installed
|-- DemoFailed                   a process of the demo did not come up
`-- BadRequest                   a request that the web layer cannot read
"""

from __future__ import annotations


class CopilotError(Exception):
    """Base of every error that this product raises on purpose.

    Attributes:
        public: What went wrong, in a sentence that may be shown to anybody: no secret, no path of a server.
        hint: How to mend it, in a sentence; empty when there is nothing to do.
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
    """A file that people edit (guideline, prompt, label config) is missing or wrong."""


class GuidelineError(LibraryError):
    """A guideline file is wrong. The message names file, line and mend."""


class PromptError(LibraryError):
    """A prompt template is wrong or asks for a variable that it is not given."""


class ImageError(CopilotError):
    """One image cannot be reviewed."""


class ImageNotFound(ImageError):
    """The server or the disk says that the image is not there."""


class ImageForbidden(ImageError):
    """The host is not allowed by the settings, or permission was refused."""


class ImageTooLarge(ImageError):
    """The image is over the limit on bytes or pixels."""


class ImageUnreadable(ImageError):
    """What came is no image, or a broken one."""


class ImageUnreachable(ImageError):
    """The image could not be fetched in time."""

    retryable = True


class InspectorError(CopilotError):
    """An inspector could not answer."""


class InspectorUnavailable(InspectorError):
    """No inspector of that name, or the extra it needs is not installed."""


class ModelRefused(InspectorError):
    """The model declined to answer."""


class ModelCutOff(InspectorError):
    """The model's answer ended at its length limit."""


class ModelMalformed(InspectorError):
    """The model's answer does not fit the schema, even after one repair."""


class ModelUnreachable(InspectorError):
    """The model's endpoint timed out, failed or could not be reached."""

    retryable = True


class ModelRateLimited(InspectorError):
    """The model's endpoint asks for a pause.

    Attributes:
        retry_after_s: Seconds that the endpoint asked to wait; None when it named none.
    """

    retryable = True

    def __init__(self, public: str, *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(public, hint=hint)
        self.retry_after_s = retry_after_s


class ModelAuthError(InspectorError):
    """The model's endpoint does not accept the key."""


class BudgetSpent(InspectorError):
    """The money set aside for model calls is spent: no further call is made until the budget is raised."""


class LabelStudioError(CopilotError):
    """Label Studio refused a request."""


class LabelStudioUnreachable(LabelStudioError):
    """Label Studio could not be reached in time."""

    retryable = True


class LabelStudioAuthError(LabelStudioError):
    """The token is missing, wrong, or of a kind that is switched off."""


class LabelStudioNotFound(LabelStudioError):
    """Label Studio has no such project, task or annotation."""


class LabelStudioRefusesAddress(LabelStudioError):
    """Label Studio refuses to call a private or loopback address."""


class LabelConfigError(LabelStudioError):
    """The project's label config lacks what a review needs."""


class EngineError(CopilotError):
    """The cluster that a bulk run is spread over cannot be reached, or nobody is left on it."""


class RequestAbandoned(CopilotError):
    """The work was taken back: nobody waits for it, and nobody will."""


class StoreError(CopilotError):
    """The database could not do what was asked."""


class StoreBusy(StoreError):
    """The database is locked or out of reach."""

    retryable = True


class ExtraMissing(CopilotError):
    """A package that an optional feature needs is not installed; the hint names the pip command."""


class DemoFailed(CopilotError):
    """A process of the demo ended or did not answer."""


class BadRequest(CopilotError):
    """A request that the web layer cannot read."""
