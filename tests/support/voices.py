"""Voiceprints without models: manifests of the starter models, and prints of the fake engine."""

from pathlib import Path

from onprem.engine.catalogue import CATALOGUE, ModelKind
from onprem.engine.manifest import Manifest, write_manifest
from tests.support.server import Running


def install_manifest(models: Path, model_id: str, kind: ModelKind) -> str:
    """A model as far as its manifest goes; returns its digest."""
    (models / model_id).mkdir(parents=True)
    known = CATALOGUE.get(model_id)
    files = known.files if known else {}
    manifest = Manifest(id=model_id, kind=kind, licence="MIT", source="here", files=files)
    write_manifest(models / model_id, manifest)
    return manifest.digest


def install_starter_manifests(models: Path) -> None:
    install_manifest(models, "segmentation-3.0", "segmentation")
    install_manifest(models, "campplus-zh-en", "embedding")


async def post(server: Running, path: str, **body: object) -> str:
    """Submit; returns the job's id."""
    answer = await server.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["jobId"])


async def output_of(server: Running, path: str, **body: object) -> dict[str, object]:
    """Submit and wait; returns the output, whatever became of the job."""
    job = await server.finished(await post(server, path, **body))
    output = job["output"]
    assert isinstance(output, dict)
    return output
