-- Some receipts of a device that was deleted; how many.
WITH gone AS (
    DELETE FROM receipt WHERE ctid IN (SELECT ctid FROM receipt WHERE device_id = %(device)s LIMIT %(limit)s) RETURNING 1
)
SELECT count(*) FROM gone
