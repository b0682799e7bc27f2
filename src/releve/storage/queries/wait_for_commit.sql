-- A commit waits for the disk and for standbys only when its transaction wrote something. What answers a repeat may have
-- written nothing, although the first one's wait was cancelled or lost in a restart: this makes it wait, and that proves all earlier ones.
SELECT pg_logical_emit_message(true, 'releve', '')
