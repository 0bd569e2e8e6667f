"""The key that voiceprints are made under, and the files with those of others."""

import asyncio
from pathlib import Path

import pytest

from onprem.config.settings import Auth, Settings
from onprem.errors import ConfigInvalid
from onprem.services.voiceprints import installation_key
from onprem.store.secrets import SecretStore
from onprem.wiring import trusted_voiceprint_keys
from tests.support.clock import FakeClock
from tests.support.store import MASTER, OpenStore

KEY = bytes(range(32))


async def test_the_key_is_made_once_however_many_ask_for_it(
    store: OpenStore, clock: FakeClock
) -> None:
    secrets = SecretStore(store.database, MASTER)
    keys = await asyncio.gather(
        *(installation_key(store.database, secrets, clock) for _ in range(5))
    )
    assert len(set(keys)) == 1 and len(keys[0]) == 32
    clock.advance(10 * 365 * 86400)
    assert await installation_key(store.database, secrets, clock) == keys[0]


async def test_the_key_is_wrapped_where_it_lies(store: OpenStore, clock: FakeClock) -> None:
    key = await installation_key(store.database, SecretStore(store.database, MASTER), clock)
    ((wrapped,),) = await store.database.fetchall("SELECT wrapped FROM secret")
    assert key not in wrapped


def trusting(*paths: Path) -> list[bytes]:
    return trusted_voiceprint_keys(Settings(auth=Auth(trusted_voiceprint_keys=list(paths))))


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_trusted_keys_come_from_files(tmp_path: Path) -> None:
    assert trusting() == []
    one = written(tmp_path / "one", KEY.hex() + "\n")
    other = written(tmp_path / "other", "ff" * 32)
    assert trusting(one, other) == [KEY, b"\xff" * 32]


def test_every_file_that_holds_no_key_is_named_and_none_is_quoted(tmp_path: Path) -> None:
    short = written(tmp_path / "short", "ff" * 31)
    open_to_others = written(tmp_path / "open", KEY.hex(), 0o644)
    good = written(tmp_path / "good", KEY.hex())
    with pytest.raises(ConfigInvalid) as refused:
        trusting(short, tmp_path / "absent", good, open_to_others)
    messages = [fault.message for fault in refused.value.faults]
    assert [message.partition(": ")[0] for message in messages] == [
        str(short),
        str(tmp_path / "absent"),
        str(open_to_others),
    ]
    assert {fault.field for fault in refused.value.faults} == {"auth.trusted_voiceprint_keys"}
    assert not any("ffff" in message or KEY.hex() in message for message in messages)
