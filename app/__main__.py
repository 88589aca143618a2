"""python -m app: the services on the command line.

Exit codes: 0 done, 1 failed, 2 wrong input, 130 cancelled. An error is one line on standard error, whatever happened;
what nobody foresaw is written down in full in the log that the line names.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from app import commands, services
from app.arguments import UsageError, parse
from app.commands import CANCELLED, FAILED, WRONG_INPUT, Answer
from app.logs import log_beside
from josh_engine.errors import ConfigError, DatasetError, JoshError, MissingKey, StorageError

COMMANDS: Mapping[str, Callable[..., Answer]] = {
    "run": commands.run,
    "resume": commands.resume,
    "cancel": commands.cancel,
    "list": commands.list_,
    "tree": commands.tree,
    "export": commands.export,
    "evaluate": commands.evaluate,
    "share": commands.share,
    "import": commands.import_results,
    "bundle": commands.bundle,
    "unbundle": commands.unbundle,
    "check": commands.check,
    "probe": commands.probe,
    "serve-model": commands.serve_model,
    "train": commands.train,
    "merge": commands.merge,
    "improve": commands.improve,
    "data": commands.data,
}


def main(given: Sequence[str]) -> int:
    try:
        words = parse(given)
    except UsageError as error:
        return _say(error, WRONG_INPUT)
    log = log_beside(words.store.absolute() if words.store else services.store_path())
    try:
        answer = COMMANDS[words.command](words)
    except (ConfigError, DatasetError, StorageError, MissingKey) as error:
        return _say(error, WRONG_INPUT)
    except JoshError as error:
        return _say(error, FAILED)
    except KeyboardInterrupt:
        return _say("cancelled", CANCELLED)
    except Exception as error:
        logging.getLogger(__name__).exception("python -m app %s", " ".join(given))
        return _say(f"{type(error).__name__}: {error}. This should not happen; details are in {log.place}", FAILED)
    if answer.note:
        _say(answer.note, answer.code)
    if words.json:
        for line in answer.notices:
            print(line, file=sys.stderr)
    if not answer.text:
        return answer.code
    return _print(json.dumps(answer.fields, ensure_ascii=False) if words.json else answer.text, answer.code)


def _print(text: str, code: int) -> int:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the reader had enough; python would complain again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _say(problem: object, code: int) -> int:
    print(f"error: {' '.join(str(problem).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
