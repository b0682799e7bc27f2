-- Makes the commit a real one: without a number of its own a transaction writes nothing to the disk.
SELECT pg_current_xact_id()
