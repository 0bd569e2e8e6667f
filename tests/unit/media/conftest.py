import numpy as np
import pytest

from onprem.media.decode import Decoded, DecodeLimits, decode
from onprem.media.worker_copy import WorkerCopy
from tests.support.decoding import LIMITS, Decode


@pytest.fixture
def decoding() -> Decode:
    async def run(content: bytes, limits: DecodeLimits = LIMITS) -> tuple[Decoded, np.ndarray]:
        with WorkerCopy.create("test") as copy:
            copy.write(content)
            decoded = await decode(copy, limits=limits)
        with decoded.pcm, decoded.track(0) as view:
            return decoded, np.frombuffer(bytes(view), dtype=np.int16)

    return run


@pytest.fixture
def limits() -> DecodeLimits:
    return LIMITS
