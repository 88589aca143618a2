"""Whether a LoRA's weights are those that a model needs, by names and shapes in the files' headers.

peft loads what fits and warns of the rest, so an adapter with renamed weights, or with half of them, plays as its base
and is taken for real (huggingface/peft pull 2118; issue 2699: names that carry the adapter's own name).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from josh_engine.errors import ConfigError
from josh_engine.models.local.folder import tensor_shapes, weight_files

PREFIX = "base_model.model."  # peft's wrapping, in every name it saves
HALVES = re.compile(r"\.lora_(embedding_)?([AB])(\.weight)?$")
OTHERS = re.compile(  # of biases, of DoRA, of single tokens
    r"\.(lora_B\.bias|lora_magnitude_vector(\.weight)?|token_adapter\.trainable_tokens_delta)$"
)
PLACE = re.compile(r"(?:^|\.)([^.]+\.\d+\..+)$")  # from the list of layers on; versions rename what is before it
SHOWN = 2  # names of a side in a message


@dataclass(frozen=True, slots=True)
class Weight:
    """`module`: what it changes, as peft names it in the model. `half`: A, B, or "" for one that is no matrix of a
    LoRA's pair (a bias, a whole module trained along)."""

    name: str
    module: str
    half: str
    embedded: bool
    shape: tuple[int, ...]


def check_weights(file: Path, config: Mapping[str, Any], model: Path) -> None:
    """Raises ConfigError with names of both sides. `config`: of the adapter, as peft saves it."""
    if config.get("peft_type", "LORA") != "LORA":
        return  # weights of another making; what does not fit is told where it is loaded (`check_complete`)
    shapes, base = tensor_shapes(file), _Base.of(model)
    weights = [weight for name, shape in shapes.items() if (weight := read_weight(name, shape))]
    fitting = [weight for weight in weights if base.module(weight.module)]
    strange = shapes.keys() - {weight.name for weight in fitting}
    if strange or not shapes:
        raise ConfigError(
            f"{len(strange)} of the {len(shapes)} weights of {file.parent} fit nothing in {model}: it holds"
            f" {some(strange)}, but the model has {some(base.asked_for(config) or base.modules)}.",
            remedy="Its weights were renamed or are of another model: give the base that it was trained on.",
        )
    check_complete(file.parent, shapes, _needed(config, base, weights))
    for weight in weights:
        _check_shape(file.parent, config, weight, base.modules.get(base.module(weight.module) or ""))


def read_weight(name: str, shape: tuple[int, ...]) -> Weight | None:
    """None for a name that peft gives to none."""
    if not name.startswith(PREFIX):
        return None
    inner = name.removeprefix(PREFIX)
    if half := HALVES.search(inner):
        return Weight(name, inner[: half.start()], half[2], bool(half[1]), shape)
    if other := OTHERS.search(inner):
        return Weight(name, inner[: other.start()], "", False, shape)
    if ".lora_" in inner:
        return None
    whole = inner.rpartition(".")[0].removesuffix(".base_layer")  # an embedding that is saved beside its LoRA
    return Weight(name, whole, "", False, shape)


def check_complete(adapter: Path, given: Collection[str], needed: Iterable[str]) -> None:
    """Raises ConfigError for an adapter that lacks weights: peft would make them up."""
    if missing := sorted(set(needed) - set(given)):
        raise ConfigError(
            f"{adapter} holds {len(set(given))} weights and lacks {len(missing)} that the model needs: it holds"
            f" {some(given)}, but not {some(missing)}.",
            remedy="It was cut short or is of another model: save it again where it was trained.",
        )


def some(names: Iterable[str]) -> str:
    told = sorted(names)
    return (", ".join(told[:SHOWN]) or "nothing") + (f" and {len(told) - SHOWN:,} more" if len(told) > SHOWN else "")


@dataclass(frozen=True, slots=True)
class _Base:
    """A model's modules with the shapes of their weights, and their names by where they stand within the layers."""

    modules: Mapping[str, tuple[int, ...]]
    by_place: Mapping[str, str]

    @classmethod
    def of(cls, model: Path) -> _Base:
        found: dict[str, tuple[int, ...]] = {}
        for file in weight_files(model):
            for name, shape in tensor_shapes(file).items():
                module, _, kind = name.rpartition(".")
                found[module] = shape if kind == "weight" else found.get(module, ())
        found.setdefault("lm_head", ())  # where it is not stored, it is the embedding's
        return cls(found, {_place(name): name for name in found})

    def module(self, name: str) -> str | None:
        return name if name in self.modules else self.by_place.get(_place(name))

    def asked_for(self, config: Mapping[str, Any]) -> frozenset[str]:
        """The matrices that an adapter with this configuration changes; none where it does not tell."""
        layers = config.get("layers_to_transform")
        chosen = None if layers is None else layers if isinstance(layers, list) else [layers]
        return frozenset(
            name
            for name, shape in self.modules.items()
            if len(shape) == 2 and (chosen is None or _layer(name) in chosen)
            if is_named(name, config.get("target_modules")) and not is_named(name, config.get("exclude_modules"))
        )


def is_named(module: str, given: Any) -> bool:
    """As peft reads it: a list holds whole names or their ends, a text is a pattern of whole names."""
    if isinstance(given, str):
        try:
            return re.fullmatch(given, module) is not None
        except re.error:
            return False  # peft complains of it where the adapter is loaded
    return isinstance(given, list) and any(module == each or module.endswith(f".{each}") for each in given)


def _layer(module: str) -> int | None:
    return next((int(part) for part in module.split(".") if part.isdigit()), None)


def _place(module: str) -> str:
    found = PLACE.search(module)
    return found[1] if found else module.rpartition(".")[2]


def _needed(config: Mapping[str, Any], base: _Base, weights: Sequence[Weight]) -> set[str]:
    """Both halves for every module that has one, and for all others that the configuration asks for: those within the
    same list of layers, and only where names are the model's own, so that it is sure which list that is."""
    halves = [weight for weight in weights if weight.half]
    needed = {
        weight.name.removesuffix(f"{weight.half}{end}") + each + end
        for weight in halves
        for end in ("" if weight.embedded else ".weight",)
        for each in "AB"
    }
    modules = {weight.module for weight in halves}
    if modules <= base.modules.keys():
        lists = {module.removesuffix(_place(module)) for module in modules}
        whole = config.get("modules_to_save")
        more = {each for each in base.asked_for(config) - modules if each.removesuffix(_place(each)) in lists}
        needed |= {f"{PREFIX}{each}.lora_{half}.weight" for each in more for half in "AB" if not is_named(each, whole)}
    return needed


def _check_shape(adapter: Path, config: Mapping[str, Any], weight: Weight, base: tuple[int, ...] | None) -> None:
    if not weight.half or len(weight.shape) != 2:
        return
    rank, width = weight.shape if weight.half == "A" else weight.shape[::-1]
    said = config.get("r", rank)
    if said != rank and not config.get("rank_pattern"):
        raise ConfigError(
            f"{weight.name} of {adapter} has rank {rank}, but its adapter_config.json says {said}.",
            remedy="Its files belong to two adapters: save it again where it was trained.",
        )
    if base and len(base) == 2 and width not in base:
        raise ConfigError(
            f"{weight.name} of {adapter} is for matrices of width {width}, but the model's are {base[0]} by {base[1]}.",
            remedy="It is of another model: give the base that it was trained on.",
        )
