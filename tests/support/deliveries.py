"""What the API says of a job's deliveries."""

import asyncio
from typing import Any

from tests.support.audio import tone
from tests.support.server import Running


async def submitted(server: Running, **body: object) -> str:
    """A job over a recording that was uploaded."""
    return await server.diarize(url=await server.upload(tone(1.0)), **body)


async def deliveries(server: Running, job_id: str) -> list[dict[str, Any]]:
    answer = await server.client.get(f"/v1/jobs/{job_id}/deliveries")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["deliveries"]
    return found


async def tried(
    server: Running, job_id: str, attempts: int, seconds: float = 20
) -> list[dict[str, Any]]:
    """The deliveries, once each of them was tried so often or has ended."""
    async with asyncio.timeout(seconds):
        while True:
            found = await deliveries(server, job_id)
            if all(len(each["attempts"]) >= attempts or "endedAt" in each for each in found):
                return found
            await asyncio.sleep(0.02)


async def receipts(server: Running, job_id: str) -> dict[str, str]:
    """The reason of each deletion of this job, by the kind of what was deleted."""
    answer = await server.client.get(f"/v1/jobs/{job_id}/receipts")
    return {each["kind"]: each["reason"] for each in answer.json()["receipts"]}


async def receipt_of(server: Running, job_id: str, kind: str, seconds: float = 20) -> str:
    """The reason, once there is a receipt."""
    async with asyncio.timeout(seconds):
        while kind not in (found := await receipts(server, job_id)):
            await asyncio.sleep(0.02)
    return found[kind]
