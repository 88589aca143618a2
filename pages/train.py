"""Train: what would be trained on what, and whether this machine can; start a job, watch it, stop it, go on with it.

A job lives in a process of its own and in the store, so reloading, leaving and a killed server change nothing. The
address says which job is looked at.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from app import evaluating, launching, listings, services, shell, trainings, trainings_listed, turns
from app.improving import Plan
from app.trainings import Training, TrainingRequest
from app.trainings_listed import GOING
from josh_engine.training.config import PRECISIONS

shell.enter(__file__)

OTHER_FILE = "Another file …"
NO_ROWS = "Nothing is exported yet, so there is nothing to train on. Write an export to a folder first."
LOG_LINES = 50  # kept in sight
PAPERS = ("Answers", "Settings as started", "Log")
JUDGED = 300  # scenarios that an adapter is evaluated on where nobody says otherwise


@shell.guarded
def page() -> None:
    store = shell.store()
    job_id = st.query_params.get("job")
    if not job_id:
        _planning()
        return
    known = {job.id for job in trainings.list_trainings(store)}
    if job_id not in known:
        shell.heading("Train")
        shell.complaint(f"Job `{job_id}` is not in this store.", "Choose one of those below.", key="job")
        _jobs_so_far()
        return
    _watching(trainings.load_training(store, job_id))


# A new job


def _planning() -> None:
    shell.heading("Train", "A LoRA on exported rows, and afterwards what made it.")
    with st.container(key="notice-machine"):
        st.text(_machine())
    left, right = st.columns([40, 60], gap="large")
    with left:
        request = _form()
    with right:
        if request is not None:
            _preflight(request)
        _loop()
        _jobs_so_far()


def _machine() -> str:
    """Said before the form is filled. The page's own process never loads torch, so the driver's file is asked."""
    if Path("/dev/nvidia0").exists():
        return "This machine has a GPU."
    return (
        "This machine shows no NVIDIA GPU. The embedded model trains on its CPU in minutes; for a large model copy the"
        " command below to another machine."
    )


def _form() -> TrainingRequest | None:
    files = {each.label: each for each in trainings_listed.row_files(services.list_exports(shell.store()))}
    st.subheader("New job", anchor=False)
    chosen = st.selectbox("Rows", [*files, OTHER_FILE], key="train-rows")
    if chosen == OTHER_FILE:
        typed = st.text_input("Path of an sft.jsonl or kto.jsonl", key="train-path")
        if not files and not typed:
            if shell.nothing_yet(NO_ROWS, "To the export", key="no-rows", icon=":material/output:"):
                shell.go("export", {})
            return None
        rows = Path(typed) if typed else None
    else:
        rows = files[chosen].path
    offered = files[chosen].trainers if chosen in files else tuple(trainings_listed.TRAINER_WORDS)
    trainer = st.selectbox(
        "Method", offered, format_func=trainings_listed.TRAINER_WORDS.__getitem__, key="train-method"
    )
    left, right = st.columns(2)
    names = trainings_listed.preset_names()
    preset = left.selectbox("Preset", names, key="train-preset", help=trainings_listed.PRESET_MEANINGS)
    model = right.text_input("Base model", services.EMBEDDED_MODEL, key="train-model", help="Or a model's folder.")
    settings = _settings(preset, trainer)
    name = st.text_input("Name", key="train-name", placeholder="made of the choices", max_chars=120)
    st.button(
        "Start", type="primary", icon=":material/play_arrow:", shortcut="S", key="start", width="stretch",
        disabled=rows is None, on_click=shell.tried, args=(_start,),
    )  # fmt: skip
    shell.refused(key="start")
    if rows is None:
        return None
    request = TrainingRequest(rows, model.strip(), trainer, preset, settings, name=name.strip())
    st.session_state["train-request"] = request
    with st.expander("The same from the command line", icon=":material/terminal:"):
        words = trainings_listed.command(str(rows), request.model, trainer, preset, settings)
        st.code(words, language=None, wrap_lines=True)
        shell.copy_button("Copy command", key="copy-command", text=words)
        several = trainings_listed.launched_by_several(words)
        shell.faint("On 8 GPUs of one machine, by accelerate's launcher:", key="several")
        st.code(several, language=None, wrap_lines=True)
        shell.copy_button("Copy command", key="copy-several", text=several)
    return request


def _settings(preset: str, trainer: str) -> dict[str, Any]:
    """Every number of the preset, to be changed; another preset or method begins with its own."""
    filled: dict[str, float | int | None] = {}
    with st.expander("Settings", icon=":material/tune:"):
        columns = st.columns(3)
        for place, (name, value) in enumerate(trainings_listed.settings_of(preset, trainer).items()):
            given: dict[str, Any] = {"step": 1} if isinstance(value, int | None) else {"format": "%g"}
            filled[name] = columns[place % 3].number_input(
                name.replace("_", " ").capitalize(), value=value, key=f"train-{preset}-{trainer}-{name}",
                placeholder="none", **given,
            )  # fmt: skip
        usual = trainings_listed.four_bit_of(preset, trainer)
        four = columns[0].checkbox(
            "Base in 4 bits", usual, key=f"train-{preset}-{trainer}-four-bit", help="On a GPU, with bitsandbytes."
        )
        precisions = trainings_listed.PRECISION_WORDS
        precision = columns[1].selectbox("Precision", precisions, format_func=precisions.__getitem__, key="precision")
        others = columns[2].checkbox("Rows of others", key="rows-of-others", help="Also what another model said.")
    changed: dict[str, Any] = trainings_listed.changed(filled, preset, trainer)
    changed |= {} if four == usual else {"four_bit": four}
    changed |= {} if PRECISIONS[precision] is None else {"bfloat16": PRECISIONS[precision]}
    return changed | ({"rows_of_others": True} if others else {})


def _start() -> None:
    """Makes the job, starts it, and opens it."""
    store, request = shell.store(), st.session_state["train-request"]
    job = trainings.create_training(store, request)
    trainings.launch_training(store, job.id)
    st.query_params.from_dict({"job": job.id})


@shell.guarded
def _preflight(request: TrainingRequest) -> None:
    """Rows that fit, one real step, and what is trained on in the first sequence; found out once for a choice."""
    request.config()
    asked = replace(request, name="")
    if st.session_state.get("preflight-asked") != asked:
        with st.spinner("Reading the rows and taking one step …"):
            still_here = st.empty()  # drawing on it ends this run of the page where a person changed or left it
            st.session_state["preflight"] = trainings.preflight_training(asked, waiting=lambda: still_here.empty())
        st.session_state["preflight-asked"] = asked
    found: trainings.Preflight = st.session_state["preflight"]
    with st.container(key="notice-preflight"):
        columns = st.columns(3)
        for place, (label, figure, meaning) in enumerate(trainings_listed.facts(found)):
            columns[place % 3].metric(label, figure, help=meaning)
        for place, line in enumerate(trainings_listed.left_out(found)):
            shell.faint(line, key=f"left-out-{place}")
        st.text(f"{found.origin}\nComputes in {found.precision}.")
        if found.refused:
            st.text("A job on these rows is refused, unless “Rows of others” is ticked among the settings.")
    with st.expander("What is trained on: the first sequences", icon=":material/visibility:", expanded=True):
        pieces = [{"text": piece.text, "trained": piece.trained} for piece in found.first]
        shell.component(shell.HERE, "mask")(key="mask", data={"pieces": pieces})


@shell.guarded
def _loop() -> None:
    """Search, export, train and judge, by one press."""
    store = shell.store()
    with st.expander("The whole loop in one go", icon=":material/all_inclusive:"):
        shell.faint("Search, export, train, and judge each model beside the base.", key="loop")
        columns = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
        columns[0].text_input("Name", "first-turn", key="turn-name", max_chars=40)
        columns[1].number_input("Searched", 1, value=300, key="turn-searched", help="Scenarios of the train split.")
        columns[2].number_input("Judged", 1, value=300, key="turn-judged", help="Scenarios of the test split.")
        columns[3].button(
            "Start the loop", key="start-loop", width="stretch", on_click=shell.tried, args=(_start_loop,),
            help="Or goes on with the turn of this name. Some 20 minutes on two cores.",
        )  # fmt: skip
        shell.refused(key="loop")
        going = any(turn.state == turns.GOING for turn in turns.list_turns(store))
        st.fragment(_turns, run_every="2s" if going else None)()


@shell.guarded
def _turns() -> None:
    if found := turns.list_turns(shell.store()):
        shell.listing(turns.turns_listed(found), key="turns", height=200)


def _start_loop() -> None:
    state = st.session_state
    plan = Plan(scenarios=int(state["turn-searched"]), judged=int(state["turn-judged"]))
    turns.launch_turn(shell.store(), state["turn-name"].strip(), plan)


def _jobs_so_far() -> None:
    store = shell.store()
    jobs = trainings.list_trainings(store)
    if jobs:
        st.subheader("Jobs", anchor=False)
        states = {job.id: trainings.shown_state(store, job) for job in jobs}
        shell.listing(trainings_listed.jobs_listed(jobs, states), key="jobs-so-far", height=320)


# A job on its way, or over


def _watching(job: Training) -> None:
    shell.heading("Train", f"Job {job.id}", job.name, beside=lambda: _curate(job))
    going = trainings.shown_state(shell.store(), job) in GOING
    st.fragment(_watch, run_every="1s" if going else None)(job.id, going)


@shell.guarded
def _watch(job_id: str, going: bool) -> None:
    store = shell.store()
    job = trainings.load_training(store, job_id)
    state = trainings.shown_state(store, job)
    if going is not (state in GOING):
        st.rerun()  # with another clock, or without one
    _controls(job, state)
    st.progress(trainings_listed.share(job, state), text=trainings_listed.in_words(job, state))
    if job.error:
        shell.complaint(job.error, "What was learnt until the last checkpoint is kept: Resume goes on.", key="fault")
    _figures(job)
    _curves(trainings.training_points(store, job_id))
    _papers(job)


def _controls(job: Training, state: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        if state in GOING:
            _act("Stop and save", "stop", trainings.cancel_training, job, "After this step; the adapter is saved.")
        if state in ("failed", "cancelled", "interrupted"):
            _act("Resume", "play_arrow", trainings.launch_training, job, "Goes on from the last checkpoint.")
        if job.adapter and state in ("done", "cancelled"):
            scenarios = st.number_input("Test scenarios", 1, value=JUDGED, key="judged", width=150)
            meaning = "Plain play of so many at temperature 1, with the adapter and without."
            if st.button("Evaluate this adapter", icon=":material/leaderboard:", key="evaluate", help=meaning):
                _evaluate(job, scenarios)
    shell.refused(key="control")


def _act(label: str, icon: str, act: Any, job: Training, meaning: str) -> None:
    key = label.split()[0].lower()
    st.button(
        label, icon=f":material/{icon}:", key=key, help=meaning, on_click=shell.tried,
        args=(lambda: act(shell.store(), job.id),),
    )  # fmt: skip


@shell.guarded
def _evaluate(job: Training, scenarios: int) -> None:
    """Plays base and adapter on the same scenarios, and shows how they compare."""
    base, tuned = evaluating.launch_evaluation(shell.store(), job.model, job.adapter, name=job.name, limit=scenarios)
    shell.go("evaluate", {"runs": f"{base},{tuned}", "base": base})


def _figures(job: Training) -> None:
    columns = st.columns(4)
    columns[0].metric("Step", listings.NO_FIGURE if job.steps is None else f"{job.step} of {job.steps}")
    columns[1].metric("Loss", listings.NO_FIGURE if job.loss is None else f"{job.loss:.4f}")
    columns[2].metric("Time", listings.duration(job.seconds))
    columns[3].metric("Tokens", f"{job.tokens:,}")
    for place, line in enumerate(trainings_listed.left_out_of(job)):
        shell.faint(line, key=f"left-out-{place}")


def _curves(points: Any) -> None:
    if len(points) < 2:
        return
    left, right = st.columns(2)
    left.line_chart(trainings_listed.loss_frame(points), x="step", y="loss", height=240)
    ratios = trainings_listed.ratio_frame(points)
    if ratios.empty:
        right.line_chart(trainings_listed.rate_frame(points), x="step", y="learning rate", height=240)
    else:
        right.line_chart(ratios, x="step", y=list(trainings_listed.RATIOS), height=240)


def _papers(job: Training) -> None:
    st.button("Log", shortcut="L", key="to-log", on_click=_to_log, help="The log, and back", type="tertiary")
    answers, settings, log = st.tabs(PAPERS, key="papers", on_change="rerun")
    with answers:
        shell.faint("To the first, the middle and the last good row, at every checkpoint.", key="samples")
        shell.listing(trainings_listed.samples_listed(trainings.job_samples(job)), key="samples", height=320)
    with settings:
        told = trainings.job_facts(job)
        facts = "".join(f"\n{name.capitalize()}: {fact}" for name, fact in told.items())
        st.text(f"Rows: {job.rows}\nModel: {job.model}\nFolder: {job.out}{facts}")
        st.json(job.config, expanded=1)
    with log:
        lines = launching.log_tail(shell.store().path, job.id, LOG_LINES)
        st.code("\n".join(lines) or "Nothing was said yet.", language=None, wrap_lines=True)


def _to_log() -> None:
    st.session_state["papers"] = PAPERS[0] if st.session_state.get("papers") == PAPERS[-1] else PAPERS[-1]


def _curate(job: Training) -> None:
    if shell.dialog_button("Delete", f"delete {job.id}", icon=":material/delete:", key="delete"):
        _delete(job)
    if st.button("New job", icon=":material/add:", key="new"):
        shell.go("train", {})


@st.dialog("Delete this job?", on_dismiss=shell.dialog_done)
def _delete(job: Training) -> None:
    st.text(f"{job.id}  {job.name}")
    st.text(f"Its record and its curve go. The folder {job.out} stays, adapter and all.")
    if st.button("Delete", type="primary", key="really-delete"):
        shell.attempted(lambda: trainings.delete_training(shell.store(), job.id), key="delete", then=("train", {}))


page()
