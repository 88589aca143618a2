"""`python -m bench [NAME ...]`: runs the measurements named, or all, and prints a table of figures."""

from __future__ import annotations

import sys

from bench import critical_path, embedded, endpoints, engine_cpu, local_chat, million, retail, search_gain, tree_view
from bench.figures import show

MEASUREMENTS = {
    "engine_cpu": engine_cpu.measure,
    "critical_path": critical_path.measure,
    "endpoints": endpoints.measure,
    "search_gain": search_gain.measure,
    "local_chat": local_chat.measure,
    "embedded": embedded.measure,
    "tree_view": tree_view.measure,
    "million": million.measure,
    "retail": retail.measure,
}


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in MEASUREMENTS]:
        print(f"error: no measurement {unknown[0]!r}; there are: {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 2
    for name in names or MEASUREMENTS:
        for figure in MEASUREMENTS[name]():
            print(show(figure), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
