"""A tiny vision-language model with random weights, made on the spot: real code of transformers, no download."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

_IMAGE_PX = 28
_PATCH_PX = 14
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def a_review_of(criterion_id: str) -> str:
    """A good review with one finding, as a model would write it of a guideline with that criterion alone."""
    finding = {
        "criterion": criterion_id,
        "description": None,
        "rationale": "Upper left: a dark spot.",
        "box": [100, 200, 300, 400],
        "severity": "major",
        "confidence": 80,
    }
    review = {"criteria": {criterion_id: "flaw"}, "findings": [finding], "verdict": "discuss", "summary": "One spot."}
    return json.dumps(review)


def build_tiny_model(folder: Path, *, seed: int = 4, says: str = "", template: str | None = TEMPLATE) -> Path:
    """Write a two-layer LLaVA with a byte-level vocabulary into a folder.

    Args:
        folder: Where to.
        seed: Of the random weights.
        says: What it answers to everything; empty for whatever random weights say.
        template: Its chat template; None for a base model, which has none.

    Returns:
        The folder.
    """
    tokenizer = _tokenizer(says)
    torch.manual_seed(seed)
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=_IMAGE_PX,
            patch_size=_PATCH_PX,
            projection_dim=32,
        ),
        text_config=LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=32768,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=(_IMAGE_PX // _PATCH_PX) ** 2,
        vision_feature_select_strategy="default",
        vision_feature_layer=-1,
    )
    model = LlavaForConditionalGeneration(config)
    if says:
        _script(model, path=[tokenizer.convert_tokens_to_ids(token) for token in ("<|assistant|>", says, "</s>")])
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(
            size={"shortest_edge": _IMAGE_PX}, crop_size={"height": _IMAGE_PX, "width": _IMAGE_PX}
        ),
        tokenizer=tokenizer,
        patch_size=_PATCH_PX,
        vision_feature_select_strategy="default",
        chat_template=template,
        num_additional_image_tokens=1,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _script(model: LlavaForConditionalGeneration, *, path: list[int]) -> None:
    """Let each token of a path be followed by the next: attention and layers add nothing, the head looks it up."""
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        embedded = model.get_input_embeddings().weight
        head = model.get_output_embeddings().weight
        head.zero_()
        for token, following in itertools.pairwise(path):
            head[following] = embedded[token] / embedded[token].norm()


def _tokenizer(says: str) -> PreTrainedTokenizerFast:
    special = ["<s>", "</s>", "<pad>", "<image>", "<|system|>", "<|user|>", "<|assistant|>"]
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words.train_from_iterator(["review the image by the guideline, findings, verdict, summary"], trainer)
    if says:
        words.add_tokens([AddedToken(says, normalized=False)])
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        extra_special_tokens={"image_token": "<image>"},
    )
