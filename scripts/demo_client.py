"""What scripts/demo does as a client: plain HTTP, as any other program would."""

import json
import sys
import time
from importlib import util
from pathlib import Path
from typing import Any

import httpx


def sample() -> Path:
    """A 30 s telephone call of two speakers that pyannote.audio's package carries."""
    package = util.find_spec("pyannote.audio")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "sample" / "sample.wav"


def progress(text: str) -> None:
    """One line that is written over where somebody watches, else a line each."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    elif text:
        print(text, flush=True)


def wait_until_ready(client: httpx.Client) -> None:
    started = time.monotonic()
    while (answer := client.get("/healthz/ready")).status_code != 200:
        state = answer.json()
        if state["status"] == "failing":
            sys.exit(state["message"])
        if sys.stdout.isatty():
            progress(f"loading the models … {time.monotonic() - started:.0f} s")
        time.sleep(0.5)
    progress("")


def finished(client: httpx.Client, job_id: str) -> dict[str, Any]:
    shown = ""
    while True:
        job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}").raise_for_status().json()
        if job["status"] in ("succeeded", "failed", "canceled"):
            progress("")
            return job
        if at := job.get("progress"):
            text = f"{job['status']}: {at['stage']}"
            if sys.stdout.isatty():
                text += f" {at['percent']} %"
            if text != shown:
                progress(text)
                shown = text
        time.sleep(0.3)


def main() -> None:
    address, installation = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    headers = {"Authorization": f"Bearer {installation['key']}"}
    with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=30) as client:
        wait_until_ready(client)
        recording = sample()
        print(f"uploading {recording.name} ({recording.stat().st_size / 1e6:.1f} MB) to {address}")
        media = client.post("/v1/media/input", json={"url": "media://demo/call.wav"})
        upload = httpx.put(media.raise_for_status().json()["url"], content=recording.read_bytes())
        upload.raise_for_status()

        started = time.monotonic()
        request = {"url": "media://demo/call.wav", "exclusive": True, "transcription": True}
        job_id = client.post("/v1/diarize", json=request).raise_for_status().json()["jobId"]
        job = finished(client, job_id)
        if job["status"] != "succeeded":
            sys.exit(f"the job {job['status']}: {job.get('output', {}).get('error', '')}")

        output = job["output"]
        speakers = {turn["speaker"] for turn in output["diarization"]}
        print(f"{len(speakers)} speakers found in {time.monotonic() - started:.0f} s:\n")
        for turn in output["turnLevelTranscription"]:
            print(f"  {turn['start']:6.2f} - {turn['end']:5.2f}  {turn['speaker']}  {turn['text']}")

        print("\ndeleted already, with receipts:\n")
        receipts = client.get(f"/v1/jobs/{job_id}/receipts").raise_for_status().json()["receipts"]
        for receipt in receipts:
            verified = "verified" if receipt["verified"] else "NOT VERIFIED"
            print(
                f"  {receipt['kind']:12} {receipt['method']:16} {verified}  {receipt['artefactId']}"
            )
        print(f"\nthe output goes at {job['expiresAt']}, the upload within 48 hours.")


main()
