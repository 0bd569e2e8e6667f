"""Does the API stay responsive while a long recording is processed?

Starts a real server with the starter models, sends it ten minutes of speech (the recording that
pyannote.audio brings along, repeated), and reads the job again and again, one request every
`--every` seconds on a kept connection, as a polling client does. When the job is done, reads its
output `--reads` times without a pause: each read is an entry of the access log, on the disk before
the answer. Prints the latencies.

    python benchmarks/responsiveness.py [--models .models] [--minutes 10] [--reads 2000] [--json]
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from importlib import util
from pathlib import Path

import httpx


def speech(minutes: float) -> bytes:
    package = util.find_spec("pyannote.audio")
    assert package is not None and package.origin is not None
    with wave.open(str(Path(package.origin).parent / "sample" / "sample.wav")) as sample:
        frames = sample.readframes(sample.getnframes())
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(frames * round(minutes * 2))
    return file.getvalue()


def start(folder: Path, models: Path) -> tuple[subprocess.Popen[str], str, str]:
    onprem = [sys.executable, "-m", "onprem"]
    environment = os.environ | {
        "ONPREM_SERVER__PORT": "0",
        "ONPREM_MODELS__DIR": str(models.absolute()),
    }
    config = ["--config", str(folder / "onprem.toml")]
    init = [*onprem, "init", "--data-dir", str(folder / "data"), *config, "--json"]
    key = json.loads(subprocess.check_output(init, env=environment))["key"]
    server = subprocess.Popen(
        [*onprem, "serve", *config], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    return server, server.stdout.readline().split()[1], key


def poll(client: httpx.Client, job_id: str, every: float) -> tuple[dict[str, list[float]], float]:
    """Latencies in milliseconds by stage, until the job is terminal."""
    latencies: dict[str, list[float]] = {}
    started = time.perf_counter()
    while True:
        sent = time.perf_counter()
        job = client.get(f"/v1/jobs/{job_id}").raise_for_status().json()
        took = 1000 * (time.perf_counter() - sent)
        latencies.setdefault(job.get("progress", {}).get("stage", job["status"]), []).append(took)
        if job["status"] in ("succeeded", "failed"):
            assert job["status"] == "succeeded", job
            return latencies, time.perf_counter() - started
        time.sleep(every)


def read(client: httpx.Client, job_id: str, times: int) -> list[float]:
    """Latencies in milliseconds of reading a job with its output on an idle server."""
    latencies = []
    for _ in range(times):
        sent = time.perf_counter()
        assert "output" in client.get(f"/v1/jobs/{job_id}").raise_for_status().json()
        latencies.append(1000 * (time.perf_counter() - sent))
    return latencies


def summary(latencies: list[float]) -> dict[str, float]:
    ordered = sorted(latencies)
    return {
        "requests": len(ordered),
        "p50_ms": round(statistics.median(ordered), 1),
        "p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))], 1),
        "worst_ms": round(ordered[-1], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=Path(".models"))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=0.05, help="seconds between requests")
    parser.add_argument("--reads", type=int, default=2000, help="of the output, at the end")
    parser.add_argument("--transcribe", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server, address, key = start(Path(folder), options.models)
        try:
            headers = {"authorization": f"Bearer {key}"}
            with httpx.Client(
                base_url=address, headers=headers, trust_env=False, timeout=60
            ) as client:
                while client.get("/healthz/ready").status_code != 200:
                    time.sleep(0.5)
                link = client.post("/v1/media/input", json={"url": "media://long"}).json()["url"]
                httpx.put(link, content=speech(options.minutes), timeout=60).raise_for_status()
                body = {"url": "media://long", "transcription": options.transcribe}
                job_id = client.post("/v1/diarize", json=body).raise_for_status().json()["jobId"]
                latencies, seconds = poll(client, job_id, options.every)
                reads = read(client, job_id, options.reads)
        finally:
            server.terminate()
            server.wait()
    table = {stage: summary(found) for stage, found in latencies.items()}
    table["all"] = summary([each for found in latencies.values() for each in found])
    table["reads"] = summary(reads)
    report = {
        "minutes": options.minutes,
        "job_seconds": round(seconds, 1),
        "real_time_factor": round(seconds / options.minutes / 60, 3),
        "latency": table,
    }
    if options.json:
        print(json.dumps(report, indent=2))
        return
    print(f"{options.minutes:g} minutes of audio in {seconds:.0f} s")
    for stage, row in table.items():
        print(f"{stage:14}" + "".join(f"{name} {value:<10}" for name, value in row.items()))


main()
