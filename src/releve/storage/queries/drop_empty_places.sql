-- The places of ladders that are gone too.
WITH gone AS (
    DELETE FROM segment WHERE device_id = %(device)s AND expired IS NOT NULL AND replaced = 'infinity'
      AND NOT EXISTS (SELECT FROM ladder WHERE ladder.device_id = segment.device_id AND ladder.segment_id = segment.id) RETURNING 1
)
SELECT count(*) FROM gone
