-- Columns that nobody reads any more, and their segments, unless these are the place of a ladder.
WITH due AS (
    SELECT device_id, id, expired IS NOT NULL AS has_ladder FROM segment WHERE replaced < now() - %(older_s)s * interval '1 second'
), dropped AS (
    DELETE FROM segment USING due WHERE segment.device_id = due.device_id AND segment.id = due.id AND NOT due.has_ladder
), kept AS (
    UPDATE segment SET replaced = 'infinity', bytes = 0, value_count = 0
    FROM due WHERE segment.device_id = due.device_id AND segment.id = due.id AND due.has_ladder
), fallen AS (
    DELETE FROM segment_column USING due WHERE segment_column.device_id = due.device_id AND segment_column.segment_id = due.id
)
SELECT count(*) FROM due
