-- One session at a time holds it; it is released with the connection.
SELECT pg_try_advisory_lock(hashtextextended('releve maintenance', 0))
