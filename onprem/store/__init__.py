"""The only SQL, the record keys and the encrypted blobs."""
