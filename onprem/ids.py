"""Identifiers. All are random: an id never tells how many others exist, or when they were made."""

import secrets
import uuid


def new_job_id() -> str:
    """A job's id: a random UUID, as the pyannoteAI contract has it."""
    return str(uuid.uuid4())


def new_record_id() -> bytes:
    """16 random bytes that name one encrypted record, its key slot and its blob."""
    return secrets.token_bytes(16)


def new_project_id() -> str:
    return f"prj_{secrets.token_hex(8)}"


def new_request_id() -> str:
    return str(uuid.uuid4())
