"""A record of a results file with a field that no figure can be made of is named, and the rest is read."""

from __future__ import annotations

import json
import math

import pytest

from taubench.trajectories import read_results
from tests.taubench.test_trajectories import SECOND


def with_field(field, value):
    """A v1 result and a τ² simulation, each with one field as given."""
    said = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    one = {"task_id": 0, "trial": 1, "reward": 1.0, "info": {}, "traj": said}
    two = {"task_id": "0", "trial": 1, "reward_info": {"reward": 1.0}, "messages": said}
    path = field.split(".")
    for record in (one, two):
        place = record
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value
    return [one], {"simulations": [two]}


GOOD = {"task_id": 9, "reward": 0.5, "traj": [{"role": "user", "content": "x"}]}
DEEP = "[" * 5_000 + "]" * 5_000
NOT_KEPT = [
    ("reward", math.nan, "reward is no finite number"), ("reward", math.inf, "reward is no finite number"),
    ("reward", True, "reward is absent or of another kind"), ("reward", "1.0", "reward is absent or of another kind"),
    ("reward", -1, "reward is no number from 0 to 1"), ("reward", 1.5, "reward is no number from 0 to 1"),
    ("info.user_cost", -math.inf, "info.user_cost is no finite number"), ("info.user_cost", "0.1", "user_cost is"),
    ("info.user_cost", 10**400, "info.user_cost is no finite number"), ("info.user_cost", -0.1, "user_cost is below 0"),
    ("info.reward_info", "x", "reward_info is absent"), ("info.reward_info", {"info": []}, "info is absent"),
    ("trial", True, "trial is absent"), ("trial", 0.5, "trial is absent"), ("trial", -1, "trial is no number"),
    ("task_id", 1.0, "task_id is absent"), ("task_id", "9" * 5_000, "task_id has 5000 characters"),
    ("traj", [*GOOD["traj"], {"role": "assistant", "tool_calls": 5}], "message 1: tool_calls is absent"),
    ("traj", [*GOOD["traj"], {"role": "assistant", "tool_calls": [{"name": "think", "arguments": f'{{"x": {DEEP}}}'}]}],
     "message 1: arguments is nested too deeply"),
    ("traj", [*GOOD["traj"], {"role": "assistant", "tool_calls": [{"name": "think", "arguments": '{"x": [NaN]}'}]}],
     "message 1, arguments: x[0] is no finite number"),
]  # fmt: skip
NOT_KEPT_2 = [
    ("reward_info.reward", math.nan, "reward_info.reward is no finite number"),
    ("reward_info.reward", "1", "reward_info: reward is absent"),
    ("duration", math.nan, "duration is no finite number"),
    ("agent_cost", math.nan, "agent_cost is no finite number"), ("user_cost", False, "user_cost is absent"),
    ("messages", [{"role": "user", "content": "x", "usage": {"prompt_tokens": math.inf}}],
     "messages[0].usage.prompt_tokens is no finite number"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "said"), NOT_KEPT)
def test_a_record_of_v1_with_a_field_that_no_figure_can_be_made_of_is_named(field, value, said):
    found = read_results(json.dumps([GOOD, with_field(field, value)[0][0]]), "r.json")
    assert [each.reward for each in found.trajectories] == [0.5]
    (told,) = found.rejected
    assert told.startswith("r.json, result 1") and said in told and "NaN" not in told


@pytest.mark.parametrize(("field", "value", "said"), NOT_KEPT_2)
def test_a_record_of_tau2_with_a_field_that_no_figure_can_be_made_of_is_named(field, value, said):
    told = with_field(field, value)[1]
    told["simulations"].insert(0, SECOND["simulations"][0])
    found = read_results(json.dumps(told), "r.json")
    assert len(found.trajectories) == 1
    assert found.rejected[0].startswith("r.json, simulation 1") and said in found.rejected[0]
