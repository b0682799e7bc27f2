-- Some of what a device that was deleted has in quarantine; how many.
WITH gone AS (
    DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine WHERE device_id = %(device)s LIMIT %(limit)s) RETURNING 1
)
SELECT count(*) FROM gone
