"""The endpoints a person described, and what one of them can do when it is asked (`models/probe.py`)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from app import declaring, demo, extras, models
from app.models_listed import Tested
from app.results import EndpointLine
from josh_engine.encoding import dump, load
from josh_engine.errors import MissingKey
from josh_engine.models.endpoint import Endpoint
from josh_engine.models.probe import Probe, probe
from storage.database import Store
from storage.probes import keep_probe, kept_probes

ANSWER_SECONDS = 30.0  # a person waits
PROBE_SECONDS = 120.0


def list_endpoints() -> tuple[EndpointLine, ...]:
    """Those of `josh.toml`, in its order."""
    return tuple(_line(name, endpoint) for name, endpoint in declaring.own_parts().endpoints.items())


def endpoint_address(name: str) -> str:
    """MODEL@URL. Raises ConfigError for a name that is no endpoint's."""
    return models.endpoint_named(name).address


def probe_endpoint(name: str) -> Probe:
    """Asks the endpoint a dozen short questions, which may cost a little. Raises ConfigError for a name that is no
    endpoint's; everything else that goes wrong is in the result."""
    demo.refuse("Testing an endpoint")
    endpoint = models.endpoint_named(name)
    hasty = replace(endpoint.timeouts, first_byte=ANSWER_SECONDS, total=ANSWER_SECONDS)
    try:
        return asyncio.run(_probed(replace(endpoint, timeouts=hasty, tries=min(endpoint.tries, 2))))
    except MissingKey as error:
        return Probe(error=str(error))


def test_endpoint(store: Store, name: str) -> Tested:
    """Probes it, and keeps what was found with the time, for whoever looks next. Raises ConfigError."""
    address, found = endpoint_address(name), probe_endpoint(name)
    keep_probe(store, address, dump(found))
    return tested_endpoints(store)[address]


def tested_endpoints(store: Store) -> Mapping[str, Tested]:
    """What each endpoint's last test found, by its address."""
    return {address: Tested(load(Probe, found), when) for address, (found, when) in kept_probes(store).items()}


async def _probed(endpoint: Endpoint) -> Probe:
    from josh_engine.models.openai_chat import limits_of

    model = models.opened_endpoint(endpoint, limits_of(endpoint))
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await probe(model)
    except TimeoutError:
        return Probe(error=f"The test of {endpoint.address} was not over after {PROBE_SECONDS:.0f} s.")
    finally:
        await model.close()


def _line(name: str, endpoint: Endpoint) -> EndpointLine:
    return EndpointLine(
        name=name,
        model=endpoint.model,
        url=endpoint.url,
        key_env=endpoint.key_env,
        key_set=models.key_is_set(endpoint),
        price_prompt=endpoint.price.prompt,
        price_completion=endpoint.price.completion,
        max_concurrency=endpoint.max_concurrency,
        requests_per_minute=endpoint.requests_per_minute,
        extras=extras.in_words(extras.recorded(endpoint.extras)),
    )
