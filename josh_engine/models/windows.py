"""How servers say that a conversation no longer fits their model's window: words (a regular expression), an example
and where it was reported. All with status 400 or a neighbour of it; `refusals.TABLE` says when they count."""

from __future__ import annotations

GH = "https://github.com/"

WINDOWS: tuple[tuple[str, str, str], ...] = (
    (  # OpenAI, and what imitates it: vLLM, DeepSeek, OpenRouter
        r"context_length_exceeded|maximum context length",
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
        "https://platform.openai.com/docs/guides/error-codes",
    ),
    (
        r"exceeds? the context window",
        "Your input exceeds the context window of this model.",
        "https://platform.openai.com/docs/guides/error-codes",
    ),
    (  # vLLM
        r"max_model_len|longer than the maximum model length",
        "The decoder prompt (length 9001) is longer than the maximum model length of 8192.",
        GH + "xorbitsai/inference/issues/3785",
    ),
    (  # SGLang
        r"longer than the model's context|input length.{0,40}exceeds the maximum allowed",
        "The input (9001 tokens) is longer than the model's context length (8192 tokens).",
        GH + "QwenLM/Qwen3/issues/1321",
    ),
    (  # llama.cpp
        r"available context size|exceed_context_size|context shift is disabled|context size (has been )?exceeded",
        "request (9001 tokens) exceeds the available context size (4096 tokens), try increasing it",
        GH + "ggml-org/llama.cpp/issues/19774",
    ),
    (  # Ollama
        r"input length exceeds (the )?(maximum )?context",
        '{"error": "the input length exceeds the context length"}',
        GH + "nano-step/nano-brain/issues/208",
    ),
    (  # LM Studio
        r"context the overflows|context length of only|than the context length|context overflow",
        "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context"
        " length of only 4096 tokens, which is not enough.",
        GH + "lmstudio-ai/lmstudio-bug-tracker/issues/237",
    ),
    (  # TGI, Together
        r"`?inputs`? (tokens )?(\+ `?max_new_tokens`? )?must (be|have less)",
        '{"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs`'
        ' tokens and 500 `max_new_tokens`", "error_type": "validation"}',
        GH + "huggingface/chat-ui/issues/340",
    ),
    (  # Groq, Cerebras
        r"reduce the length of the (input )?(messages|prompt)",
        "Please reduce the length of the messages or completion.",
        GH + "earendil-works/pi/issues/129",
    ),
    (  # Anthropic, Fireworks
        r"(prompt|input|request|conversation) is too long|exceed context limit",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "https://docs.anthropic.com/en/docs/build-with-claude/context-windows",
    ),
    (  # Bedrock
        r"input is too long for requested model|too many (input )?tokens",
        "Input is too long for requested model.",
        GH + "jin-bo/agentao/pull/88",
    ),
    (  # Gemini, Vertex
        r"(input )?token count.{0,60}(exceeds|only supports up to)",
        "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).",
        "https://ai.google.dev/gemini-api/docs/troubleshooting",
    ),
    (  # Mistral
        r"too large for model with \d+|tokens in prompt|prompt contains \d+ tokens",
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        GH + "jin-bo/agentao/pull/88",
    ),
    (  # LiteLLM
        r"ContextWindowExceeded",
        "litellm.ContextWindowExceededError: litellm.BadRequestError: the request was too large",
        "https://docs.litellm.ai/docs/exception_mapping",
    ),
    (  # xAI
        r"maximum prompt length",
        "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        GH + "earendil-works/pi/issues/129",
    ),
    (  # DashScope (Qwen)
        r"range of input length",
        "Range of input length should be [1, 30720]",
        GH + "anomalyco/opencode/pull/45834",
    ),
    (  # Moonshot, MiniMax, Copilot
        r"model token limit|token limit exceeded|context window exceeds limit|exceeds the limit of \d+",
        "Invalid request: Your request exceeded model token limit: 8192",
        GH + "jin-bo/agentao/pull/88",
    ),
    (  # TabbyAPI, 01.AI, others that name their setting
        r"max_seq_len|max_position_embeddings|(prompt|input|sequence).{0,20}(length|tokens).{0,40}(exceed|greater|longer|larger|limit)",
        "length of prompt_tokens (163280) must be less than max_seq_len (32768).",
        GH + "sjzar/chatlog/issues/30",
    ),
    (
        r"context.{0,3}(length|window|size|limit).{0,60}(exceed|overflow|too|full|larger|greater)"
        r"|(exceed|larger|longer|greater|more|beyond|outside|fit).{0,60}context.{0,3}(length|window|size|limit)",
        "The request exceeded this model context window limit (32768).",
        GH + "abetlen/llama-cpp-python/issues/416",
    ),
)
