"""How violations name things."""

from onprem.core.receipt import ArtefactKind


def named(kind: ArtefactKind, record: bytes) -> str:
    return f"the {kind.replace('_', ' ')} {record.hex()}"
