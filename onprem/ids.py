"""Identifiers. All are random: an id never tells how many others exist, or when they were made."""

import secrets
import uuid

PROJECT_PREFIX = "prj_"


def new_job_id() -> str:
    """A job's id: a random UUID, as the pyannoteAI contract has it."""
    return str(uuid.uuid4())


def new_record_id() -> bytes:
    """16 random bytes that name one encrypted record, its key slot and its blob."""
    return secrets.token_bytes(16)


def new_delivery_id() -> str:
    """The same in each try of a delivery: what a receiver knows it by."""
    return f"dlv_{secrets.token_hex(16)}"


def new_project_id() -> str:
    return f"{PROJECT_PREFIX}{secrets.token_hex(8)}"


def new_request_id() -> str:
    return str(uuid.uuid4())
