-- What is in other segments now; whoever planned to read these still can for a while. Their ladders are nobody's any more.
WITH replaced AS (
    UPDATE segment SET replaced = now() WHERE device_id = %(device)s AND id = ANY(%(segments)s::bigint[]) AND replaced IS NULL RETURNING id
), fallen AS (
    DELETE FROM ladder WHERE device_id = %(device)s AND segment_id IN (SELECT id FROM replaced)
)
SELECT count(*) FROM replaced
