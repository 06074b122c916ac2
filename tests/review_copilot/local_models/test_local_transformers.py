"""The transformers inspector over the real library, and the openai inspector over a real `transformers serve`."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize as theirs

from builders import a_criterion, a_guideline, an_image
from pictures import scene
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Verdict
from review_copilot.domain.suggestion import Brief
from review_copilot.errors import InspectorUnavailable, ModelCutOff, ModelUnreachable
from review_copilot.inspectors import local_transformers
from review_copilot.inspectors.chat import Chat, Question
from review_copilot.inspectors.coordinates import smart_resize
from review_copilot.inspectors.local_transformers import LocalChat, LocalModel
from review_copilot.inspectors.model_inspector import ModelInspector, ModelOptions
from review_copilot.inspectors.openai_compatible import Endpoint, OpenAIChat
from review_copilot.inspectors.profiles import Profile
from review_copilot.inspectors.prompt import PromptTemplates
from review_copilot.inspectors.reply import checked_object
from review_copilot.inspectors.reply_formats import Way
from review_copilot.inspectors.second_look import look_schema
from review_copilot.inspectors.views import View
from review_copilot.library import prompt_source
from review_copilot.plugin.contract_suite import InspectorContract
from review_copilot.ports import Inspector
from tiny_model import TEMPLATE, a_review_of, build_tiny_model

GUIDELINE = a_guideline(a_criterion("C-01"))
NAMES = ("inspect.system.md.j2", "inspect.user.md.j2", "second_look.md.j2")


def question(text: str = "Review.", *, max_tokens: int = 400, deadline_s: float = 120.0) -> Question:
    view = View(np.full((56, 84, 3), 99, np.uint8))
    return Question("Static.", text, (view,), "look", look_schema(), max_tokens, deadline_s)


def inspector(chat: Chat, *, name: str = "transformers") -> ModelInspector:
    templates = PromptTemplates(*(prompt_source(file) for file in NAMES))
    return ModelInspector(
        name=name, chat=chat, profile=Profile("test"), templates=templates, options=ModelOptions(timeout_s=120.0)
    )


def local(folder: Path, *, batch_size: int = 4) -> LocalChat:
    return LocalChat(LocalModel(str(folder), device="cpu", batch_size=batch_size))


def test_even_random_weights_answer_by_the_schema(random_model: Path) -> None:
    answer = local(random_model).ask(question())
    said = checked_object(answer.text, look_schema())
    assert set(said) == {"reason", "visible", "sure"}
    assert 0 <= int(str(said["sure"])) <= 100
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 10


def test_a_batch_says_what_one_by_one_says(random_model: Path) -> None:
    """Questions of different length, answered together: padding must not leak from one into another."""
    questions = [question("Review." + " again" * length) for length in (0, 3, 9, 20)]
    one_by_one = [local(random_model, batch_size=1).ask(one).text for one in questions]
    together = local(random_model, batch_size=4)
    with ThreadPoolExecutor(4) as pool:
        batched = [answer.text for answer in pool.map(together.ask, questions)]
    assert batched == one_by_one


def test_a_length_limit_is_a_typed_failure(random_model: Path) -> None:
    with pytest.raises(ModelCutOff, match="MAX_TOKENS"):
        local(random_model).ask(question(max_tokens=6))


def test_a_deadline_ends_the_writing(random_model: Path) -> None:
    chat = local(random_model)
    chat.ask(question())
    before = time.monotonic()
    with pytest.raises(ModelUnreachable, match="time limit"):
        chat.ask(question("Write.", max_tokens=4000, deadline_s=0.1))
    assert time.monotonic() - before < 5


def test_weights_are_loaded_once_for_all_threads_and_chats(random_model: Path) -> None:
    before = local_transformers._load.cache_info().misses
    chats = [local(random_model) for _ in range(3)]
    threads = [threading.Thread(target=chat.ask, args=(question(),)) for chat in chats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert local_transformers._load.cache_info().misses - before <= 1


def test_a_folder_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(InspectorUnavailable, match="cannot be loaded"):
        local(tmp_path).ask(question())


REFUSES_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + TEMPLATE
)
MUST_ALTERNATE = (
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{% endif %}{% endfor %}" + TEMPLATE
)
TEXT_ONLY = "{% for message in messages %}{{ '<|user|>' + message['content'] + '</s>' }}{% endfor %}<|assistant|>"


@pytest.mark.parametrize("template", [REFUSES_SYSTEM, MUST_ALTERNATE])
def test_a_template_that_refuses_the_system_role_gets_its_words_from_the_user(template: str, tmp_path: Path) -> None:
    folder = build_tiny_model(tmp_path / "model", says=a_review_of("C-01"), template=template)
    said = inspector(local(folder)).inspect(Brief(an_image(scene()), GUIDELINE))
    assert [finding.criterion_id for finding in said.findings] == ["C-01"]
    weights = local_transformers._load(str(folder), "cpu", "auto")
    tokens = local_transformers._inputs(weights, [local_transformers._Asked(question(), time.monotonic() + 60)])
    words = weights.processor.tokenizer.decode(tokens["input_ids"][0])
    assert "Static." in words
    assert "Review." in words
    assert "<|system|>" not in words


@pytest.mark.parametrize("template", [None, TEXT_ONLY])
def test_a_model_that_cannot_be_asked_in_chats_or_pictures_says_so(template: str | None, tmp_path: Path) -> None:
    folder = build_tiny_model(tmp_path / "model", template=template)
    with pytest.raises(InspectorUnavailable, match="chat template does not take the question") as raised:
        local(folder).ask(question())
    assert "instruction-tuned" in raised.value.hint


def test_the_inspector_reads_the_models_review(scripted_model: Path) -> None:
    said = inspector(local(scripted_model)).inspect(Brief(an_image(scene()), GUIDELINE))
    assert (said.verdict, said.summary) == (Verdict.DISCUSS, "One spot.")
    assert said.findings[0].box is not None
    assert said.findings[0].box.iou(Box(0.1, 0.2, 0.2, 0.2)) > 0.99


def test_the_openai_inspector_works_with_a_real_transformers_serve(served_model: str, scripted_model: Path) -> None:
    """The server knows no response format: the ladder ends at words alone, and the review is read all the same."""
    chat = OpenAIChat(Endpoint(str(scripted_model), base_url=served_model, timeout_s=120.0))
    said = inspector(chat, name="openai").inspect(Brief(an_image(scene()), GUIDELINE))
    assert chat.probe().way is Way.FENCED
    assert said.findings[0].box is not None
    assert said.findings[0].box.iou(Box(0.1, 0.2, 0.2, 0.2)) > 0.99
    assert said.usage is not None
    assert said.usage.prompt_tokens > 1000


def test_several_threads_share_a_real_server(served_model: str, scripted_model: Path) -> None:
    chat = OpenAIChat(Endpoint(str(scripted_model), base_url=served_model, timeout_s=120.0, concurrency=2))
    asked = inspector(chat, name="openai")
    briefs = [Brief(an_image(scene(seed=seed)), GUIDELINE) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert [len(said.findings) for said in pool.map(asked.inspect, briefs)] == [1, 1, 1, 1]


@pytest.mark.parametrize("size", [(1500, 1000), (4032, 3024), (10, 20), (46, 46), (42, 14), (31, 4000), (2999, 17)])
@pytest.mark.parametrize(
    ("factor", "least", "most"), [(28, 3136, 12845056), (28, 3136, 1003520), (32, 65536, 16777216)]
)
def test_smart_resize_is_that_of_the_library(size: tuple[int, int], factor: int, least: int, most: int) -> None:
    height, width = theirs(size[1], size[0], factor=factor, min_pixels=least, max_pixels=most)
    assert smart_resize(*size, factor=factor, min_pixels=least, max_pixels=most) == (width, height)


class TestTransformers(InspectorContract):
    """The contract over real weights, scripted so that each answer is quick."""

    @pytest.fixture(autouse=True)
    def _model(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self.folder = tmp_path_factory.getbasetemp() / "contract-model"
        if not self.folder.exists():
            build_tiny_model(self.folder, says=a_review_of("K-01"))

    def make_inspector(self) -> Inspector:
        return inspector(local(self.folder))


def test_a_question_may_have_no_picture(random_model: Path) -> None:
    assert local(random_model).ask(replace(question(), views=())).text.startswith("{")
