"""Voiceprints and identification over HTTP, with an engine that hears what a test says."""

import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onprem.config.settings import Auth
from onprem.core.identification import SpeakerMatch
from onprem.core.job import JobKind
from onprem.core.project import ProjectSettings
from onprem.core.speech import ModelRef, Turn
from onprem.core.voiceprint import Voiceprint, seal
from onprem.store import projects
from onprem.store.data_directory import MARK
from onprem.store.database import Database
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import EMBEDDING, FakeEngine
from tests.support.recordings import tone as samples, wav
from tests.support.server import Running, install, running, settings_in
from tests.support.voices import install_manifest, install_starter_manifests, output_of, post

SAM = [1.0, 0.0, 0.0]
RICK = [0.0, 1.0, 0.0]


@pytest.fixture
async def server(tmp_path: Path, engine: FakeEngine, clock: FakeClock) -> AsyncIterator[Running]:
    settings = settings_in(tmp_path)
    install_starter_manifests(settings.models_dir)
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        yield server


def alone(engine: FakeEngine, vector: list[float]) -> None:
    """From now on one person speaks in every recording."""
    engine.turns = [Turn("SPEAKER_00", 0.0, 4.0)]
    engine.voices = {"SPEAKER_00": vector}


async def enrolled(server: Running, engine: FakeEngine, vector: list[float]) -> str:
    alone(engine, vector)
    output = await output_of(server, "/v1/voiceprint", url=await server.upload(tone(4.0)))
    assert set(output) == {"voiceprint"}
    return str(output["voiceprint"])


async def faults(server: Running, path: str, **body: object) -> dict[str, str]:
    answer = await server.client.post(path, json=body)
    assert answer.status_code == 400, answer.text
    return {each["field"]: each["message"] for each in answer.json()["errors"]}


async def set_project(server: Running, settings: ProjectSettings) -> None:
    database = Database(server.settings.storage.data_dir / MARK)
    await database.open()
    project = await projects.by_name(database, "default")
    assert project is not None
    async with database.write() as tx:
        await projects.change(tx, project, settings)
    await database.close()


async def test_who_was_enrolled_is_known_again(server: Running, engine: FakeEngine) -> None:
    sam, rick = await enrolled(server, engine, SAM), await enrolled(server, engine, RICK)
    engine.turns = [
        Turn("SPEAKER_00", 0.0, 1.0, {"SPEAKER_00": 90}),
        Turn("SPEAKER_01", 1.0, 2.0, {"SPEAKER_01": 80}),
        Turn("SPEAKER_00", 2.0, 3.0, {"SPEAKER_00": 70}),
    ]
    engine.voices = {"SPEAKER_00": RICK, "SPEAKER_01": [0.0, 0.0, 1.0]}
    job = await server.finished(
        await post(
            server,
            "/v1/identify",
            url="media://a.wav",
            model="precision-2",
            exclusive=True,
            voiceprints=[
                {"label": "Sam", "voiceprint": sam},
                {"label": "Rick", "voiceprint": rick},
            ],
            matching={"exclusive": True, "threshold": 0.0},
        )
    )

    assert job["status"] == "succeeded"
    output: Any = job["output"]
    assert set(output) == {
        "diarization",
        "identification",
        "voiceprints",
        "exclusiveDiarization",
    }
    assert output["voiceprints"] == [
        {"speaker": "SPEAKER_00", "match": "Rick", "confidence": {"Sam": 0, "Rick": 100}},
        {"speaker": "SPEAKER_01", "match": None, "confidence": {"Sam": 0, "Rick": 0}},
    ]
    assert output["identification"][:2] == [
        {
            "speaker": "Rick",
            "start": 0.0,
            "end": 1.0,
            "diarizationSpeaker": "SPEAKER_00",
            "match": "Rick",
            "confidence": {"SPEAKER_00": 90},
        },
        {
            "speaker": "SPEAKER_01",
            "start": 1.0,
            "end": 2.0,
            "diarizationSpeaker": "SPEAKER_01",
            "match": None,
            "confidence": {"SPEAKER_01": 80},
        },
    ]
    assert [turn["speaker"] for turn in output["identification"]] == ["Rick", "SPEAKER_01", "Rick"]
    engine_of_job: Any = job["engine"]
    assert engine_of_job["embedding"] == {"id": EMBEDDING.id, "digest": EMBEDDING.digest}


async def test_the_engine_is_asked_for_the_vectors_that_are_needed(
    server: Running, engine: FakeEngine
) -> None:
    sam = await enrolled(server, engine, SAM)
    await output_of(
        server,
        "/v1/identify",
        url="media://a.wav",
        numSpeakers=2,
        turnLevelConfidence=True,
        voiceprints=[{"label": "Sam", "voiceprint": sam}],
    )
    task, _ = engine.heard[-1]
    assert task.voices == ["campplus-zh-en"]
    assert (task.num_speakers, task.turn_confidence, task.transcribe) == (2, True, False)


async def test_two_speakers_of_one_name_only_where_that_is_allowed(
    server: Running, engine: FakeEngine
) -> None:
    sam = await enrolled(server, engine, SAM)
    engine.turns = [Turn("SPEAKER_00", 0.0, 1.0), Turn("SPEAKER_01", 1.0, 2.0)]
    engine.voices = {"SPEAKER_00": SAM, "SPEAKER_01": [0.7, math.sqrt(0.51), 0.0]}
    prints = [{"label": "Sam", "voiceprint": sam}]

    async def matches(**matching: object) -> list[str | None]:
        body = {"url": "media://a.wav", "voiceprints": prints, "matching": matching}
        output: Any = await output_of(server, "/v1/identify", **body)
        return [each["match"] for each in output["voiceprints"]]

    assert await matches() == ["Sam", None]
    assert await matches(exclusive=False) == ["Sam", "Sam"]
    assert await matches(exclusive=False, threshold=99) == ["Sam", None]


async def test_voiceprints_that_do_not_serve_are_all_named_and_never_quoted(
    server: Running, engine: FakeEngine
) -> None:
    sam = await enrolled(server, engine, SAM)
    foreign = seal(Voiceprint(EMBEDDING, SAM), bytes(32))
    found = await faults(
        server,
        "/v1/identify",
        url="media://a.wav",
        voiceprints=[
            {"label": "Sam", "voiceprint": sam},
            {"label": "secret label", "voiceprint": foreign},
            {"label": "B", "voiceprint": sam[:-8] + "AAAA" + sam[-4:]},
            {"label": "C", "voiceprint": "not base64"},
        ],
    )
    assert found == {
        "voiceprints[1].voiceprint": "It is damaged, or was made by another installation",
        "voiceprints[2].voiceprint": "It is damaged, or was made by another installation",
        "voiceprints[3].voiceprint": "It is not base64",
    }


@pytest.fixture
def trusted(tmp_path: Path) -> bytes:
    """The key of another installation, in a file."""
    key = bytes(range(32))
    path = tmp_path / "other.key"
    path.write_text(key.hex() + "\n")
    path.chmod(0o600)
    return key


async def test_a_print_of_a_trusted_installation_serves_and_one_of_no_model_here_names_both(
    tmp_path: Path, engine: FakeEngine, clock: FakeClock, trusted: bytes
) -> None:
    settings = settings_in(tmp_path, auth=Auth(trusted_voiceprint_keys=[tmp_path / "other.key"]))
    install_starter_manifests(settings.models_dir)
    own = ModelRef("own", install_manifest(settings.models_dir, "own", "embedding"))
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        url = await server.upload(tone(2.0))

        def labelled(*models: ModelRef) -> list[dict[str, str]]:
            return [
                {"label": str(index), "voiceprint": seal(Voiceprint(model, SAM), trusted)}
                for index, model in enumerate(models)
            ]

        found = await faults(
            server,
            "/v1/identify",
            url=url,
            voiceprints=labelled(
                EMBEDDING, ModelRef("theirs", "cd" * 32), ModelRef("own", "ab" * 32)
            ),
        )
        assert set(found) == {"voiceprints[1].voiceprint", "voiceprints[2].voiceprint"}
        here = f"campplus-zh-en ({EMBEDDING.digest[:8]})"
        assert "theirs (cdcdcdcd)" in found["voiceprints[1].voiceprint"]
        assert "own (abababab)" in found["voiceprints[2].voiceprint"]
        assert all(here in message for message in found.values())

        answer = await server.client.post(
            "/v1/identify", json={"url": url, "voiceprints": labelled(EMBEDDING, own)}
        )
        assert "Scores of own were never measured here" in answer.json()["warning"]
        output: Any = (await server.finished(answer.json()["jobId"]))["output"]
        assert engine.heard[-1][0].voices == ["campplus-zh-en", "own"]
        assert output["voiceprints"][0]["confidence"] == {"0": 100, "1": 99}


async def test_transcription_is_refused_with_identification(
    server: Running, engine: FakeEngine
) -> None:
    sam = await enrolled(server, engine, SAM)
    found = await faults(
        server,
        "/v1/identify",
        url="media://a.wav",
        transcription=True,
        voiceprints=[{"label": "Sam", "voiceprint": sam}, {"label": "Sam", "voiceprint": sam}],
    )
    assert set(found) == {"transcription", "voiceprints[1].label"}


async def test_the_consent_comes_back_and_can_be_required(
    server: Running, engine: FakeEngine
) -> None:
    alone(engine, SAM)
    url = await server.upload(tone(4.0))
    output = await output_of(server, "/v1/voiceprint", url=url, consentRef="HR-17")
    assert output["consentRef"] == "HR-17"
    await set_project(server, ProjectSettings(consent_required=True))
    assert set(await faults(server, "/v1/voiceprint", url=url)) == {"consentRef"}
    assert set(await faults(server, "/v1/voiceprint", consentRef="")) == {"consentRef", "url"}
    await output_of(server, "/v1/voiceprint", url=url, consentRef="HR-18")


@pytest.mark.parametrize("kind", [JobKind.IDENTIFY, JobKind.VOICEPRINT])
async def test_a_project_can_be_kept_from_it(server: Running, kind: JobKind) -> None:
    await set_project(server, ProjectSettings(operations=frozenset(JobKind) - {kind}))
    answer = await server.client.post(f"/v1/{kind.value}", json={})
    assert answer.status_code == 403
    assert answer.json()["code"] == "operation_disabled"


class TestVoiceprintFails:
    """As a job, with words that say what to do."""

    @staticmethod
    async def error(server: Running, audio: bytes) -> str:
        job = await server.finished(
            await post(server, "/v1/voiceprint", url=await server.upload(audio))
        )
        assert job["status"] == "failed"
        output: Any = job["output"]
        return str(output["error"])

    async def test_for_several_speakers(self, server: Running, engine: FakeEngine) -> None:
        engine.turns = [Turn("SPEAKER_00", 0.0, 4.0), Turn("SPEAKER_01", 4.0, 6.0)]
        assert "More than one person speaks" in await self.error(server, tone(6.0))

    async def test_for_too_little_speech(self, server: Running, engine: FakeEngine) -> None:
        engine.turns = [Turn("SPEAKER_00", 0.0, 0.7)]
        assert "Only 0.7 s of speech were found" in await self.error(server, tone(6.0))

    async def test_for_too_long_a_recording(self, server: Running, engine: FakeEngine) -> None:
        alone(engine, SAM)
        assert "longer than 30 s" in await self.error(server, tone(31.0))
        assert not engine.heard

    async def test_but_not_for_what_an_encoder_adds(
        self, server: Running, engine: FakeEngine
    ) -> None:
        alone(engine, SAM)
        await output_of(server, "/v1/voiceprint", url=await server.upload(tone(30.1)))
        assert engine.heard[-1][1] > 30 * 16_000

    async def test_for_an_upload_of_more_than_100_mib_at_once(self, server: Running) -> None:
        head = wav(samples(1.0))
        url = await server.upload(head + bytes(100 * 1024 * 1024))
        found = await faults(server, "/v1/voiceprint", url=url)
        assert "larger than 100 MiB" in found["url"]
        assert (await server.client.post("/v1/diarize", json={"url": url})).status_code == 200


async def test_the_key_outlives_a_restart(
    tmp_path: Path, engine: FakeEngine, clock: FakeClock
) -> None:
    settings = settings_in(tmp_path)
    install_starter_manifests(settings.models_dir)
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        sam = await enrolled(server, engine, SAM)
    async with running(settings, engine, key, clock) as server:
        output: Any = await output_of(
            server,
            "/v1/identify",
            url="media://a.wav",
            voiceprints=[{"label": "Sam", "voiceprint": sam}],
        )
        assert output["voiceprints"][0]["match"] == "Sam"


def test_a_null_match_is_written_as_null() -> None:
    assert msgspec.json.encode(SpeakerMatch("S", None, {})) == (
        b'{"speaker":"S","match":null,"confidence":{}}'
    )
