"""Limits for decoding in tests, and the type of the `decoding` fixture."""

from collections.abc import Awaitable, Callable

import numpy as np

from onprem.media.decode import Decoded, DecodeLimits

LIMITS = DecodeLimits(audio_seconds=3600, pcm_bytes=1 << 27, worker_memory=1 << 28, wall_seconds=60)

Decode = Callable[..., Awaitable[tuple[Decoded, np.ndarray]]]
"""Decodes bytes, perhaps with other limits; gives what was said, and the samples as int16."""
