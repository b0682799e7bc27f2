-- A segment loses some of its channels: their ladders move to a place of their own, and of its other columns those change that
-- name its readings. Nothing, where the segment is another one by now. The caller holds the device's lock.
WITH own AS (
    UPDATE segment SET bytes = %(bytes)s, value_count = %(value_count)s
    WHERE device_id = %(device)s AND id = %(segment)s AND replaced IS NULL AND bytes = %(size)s
    RETURNING n, first, last, sealed
), ladders AS (
    INSERT INTO segment (device_id, id, n, first, last, bytes, value_count, sealed, replaced, expired, expired_channels)
    SELECT %(device)s, 1 + (SELECT max(id) FROM segment WHERE device_id = %(device)s), n, first, last, 0, 0, sealed, 'infinity', now(), %(channels)s::text[]
    FROM own RETURNING id
), moved AS (
    UPDATE ladder SET segment_id = ladders.id FROM ladders
    WHERE ladder.device_id = %(device)s AND ladder.segment_id = %(segment)s AND ladder.channel = ANY(%(channels)s::text[])
), dropped AS (
    DELETE FROM segment_column USING own
    WHERE segment_column.device_id = %(device)s AND segment_column.segment_id = %(segment)s
      AND (segment_column.holds = 'c' AND segment_column.name = ANY(%(channels)s::text[]) OR segment_column.holds = ANY(%(gone)s::text[]))
), changed AS (
    UPDATE segment_column SET content = new.content
    FROM own, unnest(%(holds)s::text[], %(contents)s::bytea[]) AS new (holds, content)
    WHERE segment_column.device_id = %(device)s AND segment_column.segment_id = %(segment)s AND segment_column.holds = new.holds
      AND segment_column.name = ''
)
SELECT count(*) FROM own
