"""The pace of an endpoint, and the queue before it: on a clock of the tests' own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
import virtual_time
from hypothesis import given
from hypothesis import strategies as st

from josh_engine.errors import BadResponse, ModelError, ModelUnavailable, RateLimited
from josh_engine.models.limits import Limits, Patience, backoff
from josh_engine.models.pace import Pace, answered, first_pace, limited, troubled

# The pace alone


def clean_round(pace: Pace, at: float = 0.0) -> Pace:
    for _ in range(pace.slots):
        pace = answered(pace, sent=at, pressed=True)
    return pace


def test_it_starts_at_20_and_doubles_until_the_first_429():
    pace = first_pace()
    seen = [pace.slots]
    for _ in range(4):
        pace = clean_round(pace)
        seen.append(pace.slots)
    assert seen == [20, 40, 80, 160, 320]


def test_after_a_429_it_falls_to_four_fifths_and_grows_by_a_twentieth():
    pace = limited(replace(first_pace(), allowed=100.0), sent=0.0, now=1.0, wait=None)
    assert pace.allowed == 80
    assert clean_round(pace, at=2.0).allowed == 84


def test_the_429s_of_one_wave_are_one_episode():
    pace = replace(first_pace(), allowed=100.0)
    for moment in (1.0, 1.1, 1.2):
        pace = limited(pace, sent=0.5, now=moment, wait=None)
    assert pace.allowed == 80
    assert limited(pace, sent=1.5, now=2.0, wait=None).allowed == 64


def test_server_faults_and_timeouts_pause_growth_and_cut_nothing():
    pace = first_pace()
    for _ in range(19):
        pace = answered(pace, sent=0.0, pressed=True)
    pace = troubled(pace)
    for _ in range(19):
        pace = answered(pace, sent=0.0, pressed=True)
    assert pace.slots == 20
    assert answered(pace, sent=0.0, pressed=True).slots == 40


def test_what_was_never_in_the_way_does_not_grow():
    pace = first_pace()
    for _ in range(1000):
        pace = answered(pace, sent=0.0, pressed=False)
    assert pace.slots == 20


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["answer", "limit", "trouble"]),
        st.floats(0.0, 3.0),
        st.booleans(),
        st.one_of(st.none(), st.floats(0.0, 100.0)),
    ),
    max_size=120,
)


@given(MOVES, st.integers(1, 300))
def test_whatever_happens_the_pace_stays_within_its_bounds(moves, ceiling):
    pace, now, cuts, answers = first_pace(ceiling), 0.0, 0, 0
    for what, passed, pressed, wait in moves:
        now += passed
        before = pace
        if what == "answer":
            pace, answers = answered(pace, sent=now, pressed=pressed), answers + 1
            assert before.allowed <= pace.allowed <= before.allowed * 2
        elif what == "limit":
            pace = limited(pace, sent=now, now=now, wait=wait)
            cuts += 1
            assert pace.allowed <= before.allowed and not pace.doubling
            assert pace.opens >= now + (wait or 0.0) or not wait
        else:
            pace = troubled(pace)
            assert pace.allowed == before.allowed
        assert 1 <= pace.slots <= ceiling
        assert pace.opens >= before.opens, "a wish to wait is never taken back"
        if cuts and what == "answer":
            assert pace.allowed <= before.allowed * 1.05 + 1e-9


@given(st.integers(0, 200), st.floats(0.0, 1.0))
def test_backoff_grows_within_its_bound_and_is_never_less_than_half(attempt, dice):
    patience = Patience()
    seconds, whole = backoff(attempt, patience, dice), backoff(attempt, patience, 0.0)
    assert whole / 2 <= seconds <= whole <= patience.longest
    assert backoff(attempt + 1, patience, 0.0) >= whole


# The queue


class Endpoint:
    """Takes `seconds` for an answer and notes when it was asked; raises what `plan` says for try
    number n, after half that time."""

    def __init__(self, seconds: float = 1.0, plan: Callable[[int], Exception | None] = lambda number: None) -> None:
        self.seconds, self.plan = seconds, plan
        self.asked: list[float] = []
        self.now = self.most = 0

    async def __call__(self) -> int:
        number = len(self.asked)
        self.asked.append(asyncio.get_running_loop().time())
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            fault = self.plan(number)
            await asyncio.sleep(self.seconds if fault is None else self.seconds / 2)
            if fault is not None:
                raise fault
            return number
        finally:
            self.now -= 1


def many(limits: Limits, endpoint: Endpoint, count: int) -> list[int | BaseException]:
    async def all_of_them() -> list[int | BaseException]:
        return await asyncio.gather(*(limits.call(endpoint) for _ in range(count)), return_exceptions=True)

    return virtual_time.run(all_of_them())


def test_no_more_calls_are_in_flight_than_allowed_and_none_is_forgotten():
    endpoint = Endpoint()
    answers = many(Limits(first_pace(max_concurrency=7)), endpoint, 50)
    assert sorted(answers) == list(range(50)) and endpoint.most == 7


def test_an_endpoint_that_takes_it_gets_twice_as_many_each_round():
    endpoint = Endpoint()
    many(Limits(), endpoint, 20 + 40 + 80 + 160)
    waves = [endpoint.asked.count(moment) for moment in sorted(set(endpoint.asked))]
    assert waves == [20, 40, 80, 160]


def test_nobody_is_sent_before_retry_after_has_passed():
    endpoint = Endpoint(plan=lambda number: RateLimited("slow down", wait=45.0) if number == 3 else None)
    answers = many(Limits(), endpoint, 40)
    assert all(isinstance(answer, int) for answer in answers)
    first, told = endpoint.asked[0], endpoint.asked[0] + 0.5
    assert all(moment == first or moment >= told + 45.0 for moment in endpoint.asked)
    assert endpoint.asked.count(first) == 20 and len(endpoint.asked) == 41


@pytest.mark.parametrize("wait", [None, 0.0, 2.0])
def test_an_endpoint_that_only_ever_says_429_is_asked_a_bounded_number_of_times(wait):
    endpoint = Endpoint(plan=lambda number: RateLimited("no", wait=wait))
    (answer,) = many(Limits(), endpoint, 1)
    assert isinstance(answer, RateLimited) and len(endpoint.asked) == Patience().tries
    pauses = [later - earlier - 0.5 for earlier, later in zip(endpoint.asked, endpoint.asked[1:], strict=False)]
    assert all(pause >= max(wait or 0.0, 0.25 * 2**attempt) - 1e-6 for attempt, pause in enumerate(pauses))


def test_a_retry_after_beyond_all_patience_is_a_refusal():
    endpoint = Endpoint(plan=lambda number: RateLimited("tomorrow", wait=86_400.0))
    (answer,) = many(Limits(), endpoint, 1)
    assert isinstance(answer, RateLimited) and len(endpoint.asked) == 1


@pytest.mark.parametrize(
    ("fault", "tries"), [(ModelUnavailable("away"), 6), (BadResponse("half"), 6), (ModelError("no such model"), 1)]
)
def test_each_fault_is_repeated_as_often_as_it_may_help(fault, tries):
    endpoint = Endpoint(plan=lambda number: fault)
    (answer,) = many(Limits(), endpoint, 1)
    assert answer is fault and len(endpoint.asked) == tries


def test_a_call_that_waits_for_its_repetition_takes_no_place():
    endpoint = Endpoint(plan=lambda number: ModelUnavailable("away") if number == 0 else None)
    many(Limits(first_pace(max_concurrency=1)), endpoint, 2)
    assert endpoint.asked[1] - endpoint.asked[0] == 0.5, "the second call started as soon as the first had failed"


def test_requests_per_minute_are_kept_in_every_minute():
    endpoint = Endpoint(seconds=0.1)
    many(Limits(first_pace(requests_per_minute=30)), endpoint, 70)
    for start in endpoint.asked:
        assert sum(start <= moment < start + 60.0 for moment in endpoint.asked) <= 30


@given(st.lists(st.booleans(), min_size=2, max_size=30), st.integers(1, 5))
def test_calls_that_are_called_off_give_their_place_back(cancelled, slots):
    endpoint, limits = Endpoint(), Limits(first_pace(max_concurrency=slots))

    async def play() -> int:
        tasks = [asyncio.create_task(limits.call(endpoint)) for _ in cancelled]
        await asyncio.sleep(0.5)
        for task, off in zip(tasks, cancelled, strict=True):
            if off:
                task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return sum(isinstance(answer, int) for answer in answers)

    assert virtual_time.run(play()) == cancelled.count(False)
    assert limits.in_flight == 0 and not limits._waiting
