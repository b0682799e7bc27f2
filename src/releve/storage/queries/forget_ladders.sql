-- Some sums of a device that was deleted, whose segments went before; how many.
WITH gone AS (
    DELETE FROM ladder WHERE ctid IN (SELECT ctid FROM ladder WHERE device_id = %(device)s LIMIT %(limit)s) RETURNING 1
)
SELECT count(*) FROM gone
