"""A local model's process that loads, takes requests and never answers: it may generate for minutes, say."""

import json
import sys

print(json.dumps({"ready": {"device": "cpu", "window": None}}), flush=True)
for _ in sys.stdin:
    pass
