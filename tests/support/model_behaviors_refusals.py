"""Behaviors of servers that refuse every chat: no key, no money, no model, no eyes."""

from __future__ import annotations

from model_calls import Answer, Behavior, as_json, google_refusal, page, refusal


def _final(name: str, what: str, refused: Answer, words: str, *, models: bool = False) -> Behavior:
    """A behavior that refuses every chat; with `models` the list of models too."""
    return Behavior(
        name, "permanent", what, "typed_failure", lambda _call: refused, words, None, refused if models else None
    )


_KEY = (
    "Incorrect API key provided: sk-...abcd. You can find your API key at https://platform.openai.com/account/api-keys."
)
_NO_QUOTA = "You exceeded your current quota, please check your plan and billing details."
_REGION = "User location is not supported for the API use."
_COUNTRY = "Country, region, or territory not supported"
_NO_MODEL = "The model `fake-vlm` does not exist or you do not have access to it."
_NO_DEPLOYMENT = "The API deployment for this resource does not exist."
_CREDITS = "Insufficient credits. Add more using https://openrouter.ai/settings/credits"
_BALANCE = "Your credit balance is too low to access the Anthropic API."
_NO_EYES = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
_NOT_SEEING = "Invalid content type. image_url is only supported by certain models."
_POLICY = "No endpoints found matching your data policy"
_THINKING = "parameter.enable_thinking must be set to false for non-streaming calls"
_UNLOADED = "No models loaded. Please load a model in the developer page or use the 'lms load' command."
_FREE_DAY = "Quota exceeded for metric: generate_content_free_tier_requests, limit: 0"

REFUSALS: tuple[Behavior, ...] = (
    _final(
        "key_wrong_401",
        "OpenAI refuses the key.",
        refusal(401, _KEY, code="invalid_api_key"),
        "Incorrect API key provided",
        models=True,
    ),
    _final(
        "key_missing_401_text",
        "A proxy refuses in plain text.",
        Answer(401, b"Unauthorized: no bearer token", "text/plain"),
        "no bearer token",
        models=True,
    ),
    _final(
        "key_missing_401_string",
        "vLLM refuses with a string for an error.",
        as_json({"error": "Unauthorized"}, 401),
        "Unauthorized",
        models=True,
    ),
    _final(
        "key_invalid_400",
        "Gemini answers 400 to a wrong key.",
        google_refusal(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT"),
        "API key not valid",
        models=True,
    ),
    _final(
        "forbidden_403",
        "A project may not use the model.",
        refusal(403, "Project does not have access to model `fake-vlm`", code="model_not_found"),
        "does not have access",
    ),
    _final(
        "credits_402",
        "OpenRouter has no credits left.",
        as_json({"error": {"code": 402, "message": _CREDITS}}, 402),
        "Insufficient credits",
    ),
    _final(
        "balance_402",
        "DeepSeek has no balance left.",
        refusal(402, "Insufficient Balance", "unknown_error"),
        "Insufficient Balance",
    ),
    _final(
        "credits_in_200",
        "OpenRouter answers 200 with a 402 inside.",
        as_json({"error": {"code": 402, "message": _CREDITS}}),
        "Insufficient credits",
    ),
    _final(
        "key_in_200",
        "A gateway answers 200 with a 401 inside.",
        as_json({"error": {"code": 401, "message": "User not found."}}),
        "User not found",
    ),
    _final(
        "balance_400", "Anthropic answers 400 without a balance.", refusal(400, _BALANCE), "credit balance is too low"
    ),
    _final(
        "billing_limit_400",
        "OpenAI's billing limit was reached.",
        refusal(400, "Billing hard limit has been reached", code="billing_hard_limit_reached"),
        "Billing hard limit",
    ),
    _final(
        "quota_429",
        "OpenAI answers 429 when the quota is used up.",
        refusal(429, _NO_QUOTA, "insufficient_quota", code="insufficient_quota"),
        "exceeded your current quota",
    ),
    _final(
        "quota_gemini_429",
        "Gemini's free tier has no request left.",
        google_refusal(429, _FREE_DAY, "RESOURCE_EXHAUSTED"),
        "limit: 0",
    ),
    _final(
        "arrears_400",
        "DashScope's account is in arrears.",
        refusal(
            400, "Access denied, please make sure your account is in good standing.", "Arrearage", code="Arrearage"
        ),
        "good standing",
    ),
    _final(
        "region_400",
        "Gemini refuses the region, in a list.",
        google_refusal(400, _REGION, "FAILED_PRECONDITION"),
        "location is not supported",
        models=True,
    ),
    _final(
        "region_403",
        "OpenAI refuses the country.",
        refusal(403, _COUNTRY, "request_forbidden", code="unsupported_country_region_territory"),
        "territory not supported",
        models=True,
    ),
    _final(
        "model_missing_404",
        "OpenAI does not know the model.",
        refusal(404, _NO_MODEL, code="model_not_found"),
        "does not exist",
    ),
    _final(
        "model_missing_ollama",
        "Ollama has not pulled the model.",
        refusal(404, 'model "fake-vlm" not found, try pulling it first', "api_error"),
        "try pulling it first",
    ),
    _final(
        "deployment_missing_404",
        "Azure does not know the deployment.",
        as_json({"error": {"code": "DeploymentNotFound", "message": _NO_DEPLOYMENT}}, 404),
        "deployment for this resource",
    ),
    _final(
        "path_missing_404", "The address is that of another program.", page(404, "404 Not Found"), "404", models=True
    ),
    _final(
        "path_missing_405",
        "The address takes no POST.",
        as_json({"detail": "Method Not Allowed"}, 405),
        "Method Not Allowed",
    ),
    _final(
        "model_retired_410",
        "The model was retired.",
        refusal(410, "The model `fake-vlm` has been deprecated", code="model_deprecated"),
        "has been deprecated",
    ),
    _final("model_not_loaded", "LM Studio has no model loaded.", refusal(400, _UNLOADED), "No models loaded"),
    _final(
        "no_vision_500",
        "llama.cpp has no projector for pictures.",
        as_json({"error": {"code": 500, "message": _NO_EYES, "type": "server_error"}}, 500),
        "image input is not supported",
    ),
    _final(
        "no_vision_400",
        "OpenAI's model takes no pictures.",
        refusal(400, _NOT_SEEING),
        "only supported by certain models",
    ),
    _final(
        "no_vision_vllm",
        "vLLM's model takes no pictures.",
        as_json(
            {
                "object": "error",
                "message": "fake-vlm is not a multimodal model",
                "type": "BadRequestError",
                "code": 400,
            },
            400,
        ),
        "not a multimodal model",
    ),
    _final(
        "no_vision_404",
        "OpenRouter has no endpoint for pictures.",
        as_json({"error": {"code": 404, "message": "No endpoints found that support image input"}}, 404),
        "support image input",
    ),
    _final(
        "data_policy_404",
        "OpenRouter has no endpoint under the data policy.",
        as_json({"error": {"code": 404, "message": _POLICY}}, 404),
        "data policy",
    ),
    _final("thinking_needs_stream", "DashScope wants another parameter.", refusal(400, _THINKING), "enable_thinking"),
)
