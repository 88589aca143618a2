"""The embedded agent: a language model of a few million parameters that plays ToolWOZ on a CPU, and how it was made.

`MODEL` is the folder with its weights, tokenizer and card. It was pretrained from nothing on conversations that
`embedded.corpus` invents; `python -m app data pretrain` makes it again.
"""

from pathlib import Path

MODEL = Path(__file__).parent / "model"
