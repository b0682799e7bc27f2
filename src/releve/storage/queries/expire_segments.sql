-- The readings of these segments are deleted, as soon as nobody reads them any more; their ladders stay. How many that still had them.
WITH expired AS (
    UPDATE segment SET expired = now(), replaced = now()
    WHERE device_id = %(device)s AND id = ANY(%(segments)s::bigint[]) AND replaced IS NULL RETURNING 1
)
SELECT count(*) FROM expired
