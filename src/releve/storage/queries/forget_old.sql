-- Some old rows of a device that was deleted; how many.
WITH gone AS (
    DELETE FROM reading WHERE (device_id, time, id) IN (
        SELECT device_id, time, id FROM reading WHERE device_id = %(device)s LIMIT %(limit)s
    ) RETURNING 1
)
SELECT count(*) FROM gone
