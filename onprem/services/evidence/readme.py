"""The text in a pack that tells an auditor what each part shows."""

README_TEXT = """\
EVIDENCE PACK OF AN ONPREM INSTALLATION

It shows what was promised, what was done and what was deleted in an interval, and how the
installation stood when the pack was made. It holds ids, times, counts and settings. It holds no
recording, no word of what was said, no URL or label of a job, no name of media or of a project, and
no secret.

TO VERIFY IT you need this file as you got it, the installation's public key from a source that you
trust (`onprem ledger key`, kept since the installation), and onprem on any machine, offline:

    onprem evidence verify FILE --public-key KEY

It exits with 0 if every byte is the one that was signed, and names what is not. The key that
manifest.json brings proves nothing by itself. Checkpoints that left the installation while the
interval lasted show that its ledger was not changed before it was signed:

    onprem evidence verify FILE --public-key KEY --anchor CHECKPOINTS

PARTS

manifest.json       Signed with Ed25519 over the canonical JSON of "body" (sorted keys, no spaces):
                    the interval, and size and SHA-256 of each part. Parts about the interval are
                    the same whenever the pack is made; parts about the moment are of "createdAt".
policy.json         The retention that holds, in seconds: the ceilings, what is configured, and what
                    each project has shortened.
inventory.json      Every place where bytes can live: what, where, in which form, until when, and
                    how they go; and, in "beyond", places that the server cannot reach.
ledger.jsonl        The ledger of the interval: a receipt for each deletion, acts of operators,
                    results of canaries, signed checkpoints; the access log, if it was asked for
                    ("accessLog" in the manifest). `onprem ledger verify` takes it alone, too.
summary.json        Counted from ledger.jsonl. "unverified" and "late" should be 0: deletions that
                    reading back did not confirm, and those more than a minute after their deadline.
                    A machine that was off, or a server that was stopped without its timer, is late.
                    "expired" accesses were refused: what they asked for was gone.
canary.json         Time and again a random record is kept, found on the disk while it lives, and
                    searched for in all places after its deadline. "gone": no byte was found.
                    "left" or "exposed": something was, and a promise was broken. "unproven": the
                    search could not find it alive either. "interrupted": the server was stopped.
compliance.json     How deadlines are kept at the moment. "overdue" must be 0.
doctor.json         What was broken or at risk on the machine at the moment.
configuration.json  All settings, and their digest, which each start notes in the ledger. A URL is
                    shown without its path. No setting is a secret: files are named instead.
versions.json       The program, what it is built on, and the models by digest.

WHAT IT DOES NOT SHOW

Copies that others made: results that clients read or were sent, snapshots and backups of the disk,
blocks that flash without encryption has not reclaimed, logs of other machines, memory of a GPU. See
"beyond" in inventory.json. And, without checkpoints that were kept elsewhere: that whoever has root
on the machine, and so the signing key, did not write the whole ledger anew.
"""
