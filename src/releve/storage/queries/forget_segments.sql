-- Some segments of a device that was deleted, with their columns and sums; how many.
WITH part AS (
    SELECT id FROM segment WHERE device_id = %(device)s ORDER BY id LIMIT %(limit)s
), held AS (
    DELETE FROM segment_column WHERE device_id = %(device)s AND segment_id IN (SELECT id FROM part)
), summed AS (
    DELETE FROM ladder WHERE device_id = %(device)s AND segment_id IN (SELECT id FROM part)
), gone AS (
    DELETE FROM segment WHERE device_id = %(device)s AND id IN (SELECT id FROM part) RETURNING 1
)
SELECT count(*) FROM gone
