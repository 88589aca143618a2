"""Figures that others measured, to stand beside ours, faint, with their user simulator: the paper's and τ-bench's."""

from __future__ import annotations

from josh_engine.metrics import BAD_API_USE, INCORRECT_FORMAT

# arXiv 2409.04617, table 4a: shares of conversations of the base model and after JOSH-KTO.
PAPER_KINDS = {BAD_API_USE: (0.40, 0.20), INCORRECT_FORMAT: (0.25, 0.01)}
KIND_WORDS = {BAD_API_USE: "Bad API use", INCORRECT_FORMAT: "Incorrect format", "cut": "Cut off", "empty": "Empty"}
# Table 1: gpt-4o-mini, ReACT, after SFT on searches with this beam.
PAPER_BEAMS = ((4, 0.85, 0.72), (8, 0.85, 0.72), (16, 0.865, 0.74))
# arXiv 2409.04617, table 3 and text: ToolWOZ's 450 test scenarios; the user simulator is GPT-4o.
PAPER = (
    ("paper: Llama-3-8B, ReACT", 0.63, 0.34),
    ("paper: the same after JOSH-SFT", 0.74, 0.50),
    ("paper: the same after JOSH-KTO", 0.79, 0.59),
)
# τ-bench retail, Pass^1..4 on its 115 test tasks. τ-bench's README, user gpt-4o, strategy llm; arXiv 2409.04617,
# table 2, before and after JOSH-SFT, mean of 10 runs (older reward rule, older task file).
RETAIL: tuple[tuple[str, str, tuple[float, ...]], ...] = (
    ("claude-3-5-sonnet-20241022, FC", "gpt-4o", (0.692, 0.576, 0.509, 0.462)),
    ("claude-3-5-sonnet-20240620, FC", "gpt-4o", (0.626, 0.506, 0.435, 0.387)),
    ("gpt-4o, FC", "gpt-4o", (0.604, 0.491, 0.430, 0.383)),
    ("paper: gpt-4o-mini, FC", "gpt-4o", (0.5078,)),
    ("paper: the same after JOSH-SFT", "gpt-4o", (0.5826,)),
    ("paper: gpt-4o-mini, ACT", "gpt-4o", (0.4460,)),
    ("paper: the same after JOSH-SFT", "gpt-4o", (0.4765,)),
    ("paper: gpt-4o-mini, ReACT", "gpt-4o", (0.1687,)),
    ("paper: the same after JOSH-SFT", "gpt-4o", (0.3634,)),
    ("paper: gpt-4o, FC", "gpt-4o", (0.6521,)),
    ("paper: the same after JOSH-SFT", "gpt-4o", (0.6600,)),
    ("paper: gpt-4o, ACT", "gpt-4o", (0.6313,)),
    ("paper: the same after JOSH-SFT", "gpt-4o", (0.6426,)),
    ("paper: gpt-4o, ReACT", "gpt-4o", (0.5443,)),
    ("paper: the same after JOSH-SFT", "gpt-4o", (0.5843,)),
)
# τ²-bench's leaderboard (https://github.com/sierra-research/tau2-bench), text, retail, 114 tasks.
RETAIL_2: tuple[tuple[str, str, tuple[float, ...]], ...] = (
    ("Qwen3.5-397B-A17B (2026-03)", "gpt-5.2", (0.844, 0.744, 0.665, 0.597)),
    ("GPT-5.2 (2026-02, default effort)", "gpt-5.2", (0.816, 0.696, 0.599, 0.518)),
    ("GPT-5 (2025-10)", "gpt-4.1", (0.816, 0.718, 0.647, 0.588)),
    ("Claude Opus 4.5 (2026-02)", "gpt-5.2", (0.796, 0.674, 0.588, 0.518)),
    ("Qwen3-Max-Thinking (2026-01)", "gpt-4.1", (0.794, 0.694, 0.627, 0.579)),
    ("Gemini 3 Flash (2026-03)", "gpt-5.2", (0.768, 0.659, 0.579, 0.518)),
    ("GPT-5.2 (2026-02, effort none)", "gpt-5.2", (0.750, 0.621, 0.531, 0.456)),
    ("GPT-4.1 (2025-06)", "gpt-4.1", (0.740, 0.642, 0.581, 0.523)),
    ("GLM-5 (2026-03)", "gpt-5.2", (0.737, 0.604, 0.511, 0.439)),
    ("Claude Sonnet 4.5 (2026-02)", "gpt-5.2", (0.724, 0.575, 0.474, 0.395)),
    ("Claude 3.7 Sonnet (2025-06)", "gpt-4.1", (0.721, 0.668, 0.632, 0.597)),
    ("o4-mini (2025-06)", "gpt-4.1", (0.683, 0.587, 0.521, 0.468)),
    ("GPT-4.1-mini (2025-06)", "gpt-4.1", (0.614, 0.498, 0.423, 0.369)),
    ("custom: RAFT-30B-A3B (2026-04)", "sonnet-4.5", (0.825, 0.730, 0.662, 0.614)),
)
RETAIL_NOTE = (
    "43 of the 53 test users, and 68 of the 117 orders that gold touches, occur in the train tasks too. Figures with"
    " different user simulators cannot be ranked together."
)
