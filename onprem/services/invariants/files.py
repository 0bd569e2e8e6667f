"""I2 and I7: only ciphertext lies on the disk, and database and files agree."""

import re
from collections.abc import Iterator

from onprem.services.invariants.deletions import Deletions
from onprem.services.invariants.violation import Violation
from onprem.store.data_directory import DataDirectory
from onprem.store.inspection import Picture
from onprem.store.seal import sealed_size

_BLOB = re.compile("[0-9a-f]{32}")


def slots(picture: Picture, deletions: Deletions, now: float) -> Iterator[Violation]:
    """Each key slot carries what its row says, and free ones nothing."""
    found = picture.files.slots
    if found is None:
        yield Violation("I7", picture.files.slots_fault or "the record keys cannot be read")
        return
    rows = {
        each.artefact.slot: each.artefact for each in picture.live if each.artefact.slot is not None
    }
    empty = rows.keys() - found.occupants.keys()
    for slot in sorted(rows.keys() | found.occupants.keys()):
        row, occupant = rows.get(slot), found.occupants.get(slot)
        sentence = f"key slot {slot} does not carry what its row says"
        if occupant is None and row is not None:
            # A deletion overwrites the key first; a full disk may hold up many that are due.
            broke_off = row.due_at <= now or len(empty) == 1
            yield Violation("I7", sentence, left_over=broke_off)
        elif occupant is not None and row is None:
            if occupant in deletions.at:
                sentence = f"key slot {slot} still carries the key of a record that was deleted"
            yield Violation("I7", sentence, left_over=occupant not in deletions.at)
        elif row is not None and row.id != occupant:
            yield Violation("I7", sentence)
    for slot in found.damaged:
        yield Violation("I7", f"key slot {slot} has a bad checksum")
    for slot in found.residue:
        yield Violation("I7", f"key slot {slot} carries no record, and bytes of a key")
    for slot in sorted(rows.keys() & picture.free_slots):
        yield Violation("I7", f"key slot {slot} is in use and free")
    for slot in sorted(picture.free_slots):
        if slot >= found.size:
            yield Violation("I7", f"key slot {slot} is free, and beyond the end of the key file")


def files(directory: DataDirectory, picture: Picture, *, serving: bool) -> Iterator[Violation]:
    """Each ciphertext is there with its length, and nothing else is."""
    blobs = {}
    for each in picture.live:
        artefact, length = each.artefact, sealed_size(each.artefact.size)
        if each.inline_bytes is not None:
            if each.inline_bytes != length:
                sentence = f"the ciphertext of artefact {artefact.id.hex()} has a wrong length"
                yield Violation("I2", sentence)
        elif artefact.slot is not None:
            blobs[directory.blobs / artefact.id.hex()] = length
    sizes = picture.files.sizes
    for path, length in blobs.items():
        if path not in sizes:
            yield Violation("I7", f"the blob {path.name} is missing")
        elif sizes[path] != length:
            yield Violation("I2", f"the blob {path.name} has a wrong length")
    for path in sorted(sizes.keys() - blobs.keys() - directory.known_files()):
        upload = path.parent == directory.blobs and _BLOB.fullmatch(path.name) is not None
        if not (serving and upload and path in picture.files.being_written):
            restored = path.is_relative_to(directory.staging)
            broke_off = (upload or restored) and not serving
            yield Violation("I2", f"{path.name} is no file of ours", left_over=broke_off)
