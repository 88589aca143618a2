"""josh.toml gives a person's own parts their names; what is wrong in it is told by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import catalog, declaring, services
from josh_engine.errors import ConfigError
from tests.app import fake_parts


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes josh.toml into the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JOSH_CONFIG", raising=False)
    return lambda text: (tmp_path / "josh.toml").write_text(text, encoding="utf-8")


def test_without_a_file_there_is_nothing_of_ones_own(write) -> None:
    assert services.own_parts() == catalog.NOTHING_DECLARED
    assert services.list_agents()[0] == catalog.DEFAULT_AGENT


def test_names_are_listed_last_and_open_like_any_other(write, tmp_path: Path) -> None:
    write(
        f'[worlds]\nmine = "{fake_parts.WORLD}"\n[agents]\nours = "{fake_parts.AGENT}"\n'
        f'[users]\ntheirs = "{fake_parts.USER}"\n[models]\nfake = "{fake_parts.MODEL}"\n'
    )
    assert services.list_worlds() == (*catalog.names("world"), "mine")
    assert services.list_agents()[-1] == "ours" and services.list_users()[-1] == "theirs"
    request = services.RunRequest(world="mine", agent="ours", user="theirs", model="fake", limit=2)
    config = services.build_config(request, tmp_path)
    assert (config.world, config.agent, config.scenarios) == ("mine", "ours", ("train/0", "train/1"))
    with services.open_store(tmp_path / "josh.db") as store:
        assert services.run_here(store, services.create_run(store, config).id).state == "done"


def test_a_module_beside_the_file_is_found_wherever_that_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "beside_the_file.py").write_text("from tests.app.fake_parts import open_world\n")
    (folder / "own.toml").write_text('[worlds]\nbeside = "beside_the_file:open_world"\n')
    monkeypatch.setenv("JOSH_CONFIG", str(folder / "own.toml"))
    monkeypatch.syspath_prepend(str(tmp_path))  # puts sys.path back afterwards
    assert services.world_splits("beside", tmp_path) == tuple(fake_parts.SIZES)


def test_the_file_is_read_anew_when_it_changes(write) -> None:
    write('[agents]\none = "a:b"\n')
    assert services.list_agents()[-1] == "one"
    write('[agents]\nanother = "a:b"\n')
    assert services.list_agents()[-1] == "another"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[agent]\nmine = 'a:b'\n", "unknown key 'agent'"),
        ("mine = 'a:b'\n", "unknown key 'mine'"),
        ("agents = 'a:b'\n", "agents must be a table"),
        ("[agents]\nmine = 7\n", "agents.mine must be"),
        ("[agents]\nmine = 'no address'\n", "agents.mine must be"),
        ("[worlds]\ntoolwoz = 'a:b'\n", "worlds.toolwoz is the name of a world that comes with the product"),
        ("[users]\n'a b' = 'a:b'\n", "users.a b cannot be a name"),
        ("[agents]\n'../x' = 'a:b'\n", "agents.../x cannot be a name"),
        ("[agents\n", "is not TOML"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_key(write, text: str, said: str, tmp_path: Path) -> None:
    write(text)
    with pytest.raises(ConfigError) as caught:
        services.own_parts()
    assert said in caught.value.message and str(tmp_path / "josh.toml") in caught.value.message


def test_bytes_that_are_no_text_are_told(write, tmp_path: Path) -> None:
    (tmp_path / "josh.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not TOML"):
        services.own_parts()


def test_a_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JOSH_CONFIG", str(tmp_path / "absent.toml"))
    with pytest.raises(ConfigError, match="which JOSH_CONFIG names"):
        declaring.own_parts()


def test_a_mistake_in_the_file_is_one_line_on_the_command_line(write, say) -> None:
    write("[agent]\n")
    code, out, err = say("check")
    assert (code, out) == (2, "") and "unknown key 'agent'" in err and err.count("\n") == 1
