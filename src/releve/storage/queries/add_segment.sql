-- A segment with its columns and its ladder. The caller holds the device's lock, so that the number is free.
WITH added AS (
    INSERT INTO segment (device_id, id, n, first, last, bytes, value_count, sealed)
    SELECT %(device)s, 1 + coalesce((SELECT max(id) FROM segment WHERE device_id = %(device)s), 0), %(n)s,
           to_timestamp(0) + %(first_us)s::bigint * interval '1 microsecond',
           to_timestamp(0) + %(last_us)s::bigint * interval '1 microsecond', %(bytes)s, %(value_count)s, now()
    RETURNING id
), columns AS (
    INSERT INTO segment_column (device_id, segment_id, holds, name, content)
    SELECT %(device)s, added.id, own.holds, own.name, own.content
    FROM added, unnest(%(holds)s::text[], %(names)s::text[], %(contents)s::bytea[]) AS own (holds, name, content)
), rungs AS (
    INSERT INTO ladder (device_id, segment_id, channel, width_us, start_us, n, first, low, high, last, total)
    SELECT %(device)s, added.id, of.channel, %(width_us)s, (%(start_us)s::bigint[])[of.since:of.until],
           (%(rung_n)s::int[])[of.since:of.until], (%(first)s::float8[])[of.since:of.until],
           (%(low)s::float8[])[of.since:of.until], (%(high)s::float8[])[of.since:of.until],
           (%(last)s::float8[])[of.since:of.until], (%(total)s::float8[])[of.since:of.until]
    FROM added, unnest(%(channels)s::text[], %(since)s::int[], %(until)s::int[]) AS of (channel, since, until)
)
SELECT id FROM added
