"""Ask a vision-language model that runs in this process, through Hugging Face transformers.

Any family with a chat template that `AutoModelForImageTextToText` loads. Decoding is constrained by the reply's JSON
schema, so that even a weak model answers in the asked form. Needs the extra `[local]`; importing this module does not.
"""

from __future__ import annotations

import importlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError
from PIL import Image

from review_copilot.concurrency.batching import Batcher
from review_copilot.domain.suggestion import Usage
from review_copilot.errors import InspectorError, InspectorUnavailable, ModelCutOff, ModelUnreachable
from review_copilot.inspectors.chat import Answer, Question
from review_copilot.inspectors.repair import ask_with_repair

_PIP = 'Run: pip install "label-studio-review-copilot[local]"'
_loading = threading.Lock()


@dataclass(frozen=True, slots=True)
class LocalModel:
    """Which model to run and how.

    Attributes:
        model: A folder, or a name on the Hugging Face hub.
        device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", "mps".
        dtype: "auto" (as the weights were saved), "float32", "bfloat16", "float16".
        batch_size: Most questions in one run.
        timeout_s: Seconds for one question, waiting counted, where the question names no deadline.
    """

    model: str
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int = 4
    timeout_s: float = 300.0


@dataclass(frozen=True, slots=True)
class _Weights:
    """What is loaded once for all chats of a process that want the same."""

    model: Any
    processor: Any
    compiler: Any
    stop_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    deadline: float


class LocalChat:
    """A chat with weights in this process; they are loaded by the first question."""

    def __init__(self, local: LocalModel) -> None:
        """Make a chat; loads nothing.

        Raises:
            InspectorUnavailable: The extra `[local]` is not installed.
        """
        for module in ("torch", "transformers", "xgrammar"):
            _imported(module)
        self._local = local
        self._batcher: Batcher[_Asked, Answer | InspectorError] = Batcher(self._answers, most=local.batch_size)

    @property
    def model(self) -> str:
        """The model's name or folder."""
        return self._local.model

    @property
    def parameters(self) -> Mapping[str, object]:
        """What besides model and question decides the answer."""
        return {"decoding": "greedy, by grammar", "dtype": self._local.dtype}

    def ask(self, question: Question) -> Answer:
        """Ask; questions of several threads are answered together.

        Raises:
            InspectorUnavailable: The model cannot be loaded, or does not fit into memory.
            ModelCutOff: The answer ended at its length limit.
            ModelUnreachable: The deadline passed.
        """
        deadline = time.monotonic() + (question.deadline_s or self._local.timeout_s)
        return ask_with_repair(lambda turn: self._ask_once(turn, deadline), question)

    def _ask_once(self, question: Question, deadline: float) -> Answer:
        try:
            answer = self._batcher.ask(_Asked(question, deadline), deadline=deadline)
        except TimeoutError as error:
            raise _too_slow() from error
        if isinstance(answer, InspectorError):
            raise answer
        return answer

    def _answers(self, asked: Sequence[_Asked]) -> list[Answer | InspectorError]:
        """One answer, or typed error, for each question, by one run of the model."""
        weights = _loaded(self._local.model, self._local.device, self._local.dtype)
        out_of_memory: type[Exception] = _imported("torch").OutOfMemoryError
        try:
            return _generate(weights, asked)
        except out_of_memory as error:
            raise InspectorUnavailable(
                "The model ran out of memory.", hint="Lower REVIEW_COPILOT_MODEL_BATCH_SIZE or take a smaller model."
            ) from error


def _generate(weights: _Weights, asked: Sequence[_Asked]) -> list[Answer | InspectorError]:
    torch = _imported("torch")
    grammars = _imported("xgrammar.contrib.hf")
    inputs = _inputs(weights, asked).to(weights.model.device, dtype=weights.model.dtype)
    compiled = [
        weights.compiler.compile_json_schema(json.dumps(item.question.schema), any_whitespace=False) for item in asked
    ]
    longest = max(item.question.max_tokens for item in asked)
    latest = max(item.deadline for item in asked)
    with torch.inference_mode():
        written = weights.model.generate(
            **inputs,
            max_new_tokens=longest,
            max_time=max(0.01, latest - time.monotonic()),
            do_sample=False,
            logits_processor=[grammars.LogitsProcessor(compiled)],
        )
    prompt_tokens = inputs["attention_mask"].sum(dim=1).tolist()
    rows = written[:, inputs["input_ids"].shape[1] :].tolist()
    return [
        _answer(weights, item, row=row, prompt_tokens=count)
        for item, row, count in zip(asked, rows, prompt_tokens, strict=True)
    ]


def _answer(weights: _Weights, asked: _Asked, *, row: list[int], prompt_tokens: int) -> Answer | InspectorError:
    length = next((index for index, token in enumerate(row) if token in weights.stop_ids), None)
    if length is None or length > asked.question.max_tokens:
        if time.monotonic() >= asked.deadline:
            return _too_slow()
        return ModelCutOff(
            "The model's answer ended at its length limit.", hint="Raise REVIEW_COPILOT_MODEL_MAX_TOKENS."
        )
    text = weights.processor.tokenizer.decode(row[:length], skip_special_tokens=True)
    return Answer(text, Usage(prompt_tokens=prompt_tokens, completion_tokens=length, calls=1))


def _inputs(weights: _Weights, asked: Sequence[_Asked]) -> Any:
    """The tokens of all questions; a model whose template refuses the system role gets its words before the user's.

    Raises:
        InspectorUnavailable: The model has no chat template, or one that takes no pictures.
    """
    refused: Exception | None = None
    for system_role in (True, False):
        try:
            return weights.processor.apply_chat_template(
                [_conversation(item.question, system_role=system_role) for item in asked],
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
                processor_kwargs={"padding": True},
            )
        except (TemplateError, ValueError, AttributeError, TypeError) as error:
            refused = error
    reason = " ".join(str(refused).split())[:300]
    raise InspectorUnavailable(
        f"The model's chat template does not take the question: {reason}",
        hint="Choose an instruction-tuned model; a base model has no chat template.",
    ) from refused


def _conversation(question: Question, *, system_role: bool) -> list[dict[str, Any]]:
    system = f"{question.system}\n\n{question.schema_words}"
    words = question.user if system_role else f"{system}\n\n{question.user}"
    user: list[dict[str, Any]] = [{"type": "text", "text": words}] if words else []
    user += [{"type": "image", "image": Image.fromarray(view.pixels)} for view in question.views]
    first = [{"role": "system", "content": [{"type": "text", "text": system}]}] if system_role else []
    later = [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in question.turns]
    return [*first, {"role": "user", "content": user}, *later]


def _loaded(model: str, device: str, dtype: str) -> _Weights:
    """The weights, loaded once per process, device and dtype, whoever asks first."""
    with _loading:
        return _load(model, device, dtype)


@lru_cache(maxsize=2)
def _load(model: str, device: str, dtype: str) -> _Weights:
    transformers, xgrammar = _imported("transformers"), _imported("xgrammar")
    try:
        processor = transformers.AutoProcessor.from_pretrained(model)
        loaded = transformers.AutoModelForImageTextToText.from_pretrained(model, dtype=dtype)
        loaded = loaded.to(_device(device)).eval()
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InspectorUnavailable(
            f"The model {model!r} cannot be loaded: {reason}", hint="Is its name right, and is it an image-text model?"
        ) from error
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    stops = loaded.generation_config.eos_token_id or tokenizer.eos_token_id
    stop_ids = frozenset(stops if isinstance(stops, list) else [stops])
    loaded.generation_config.pad_token_id = tokenizer.pad_token_id
    words = xgrammar.TokenizerInfo.from_huggingface(
        tokenizer, vocab_size=loaded.get_output_embeddings().weight.shape[0], stop_token_ids=sorted(stop_ids)
    )
    return _Weights(loaded, processor, xgrammar.GrammarCompiler(words), stop_ids)


def _device(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    torch = _imported("torch")
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InspectorUnavailable(
            "The transformers inspector needs packages that are not installed.", hint=_PIP
        ) from error


def _too_slow() -> ModelUnreachable:
    return ModelUnreachable(
        "The model did not answer within the time limit.",
        hint="Raise REVIEW_COPILOT_MODEL_TIMEOUT_S, or take a smaller model or a GPU.",
    )
