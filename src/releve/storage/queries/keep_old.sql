-- Readings as rows of the table of earlier releases; how many were not there.
WITH kept AS (
    INSERT INTO reading (device_id, time, id, received, channels, sent)
    SELECT %(device)s, to_timestamp(0) + time_us * interval '1 microsecond', id, to_timestamp(0) + received_us * interval '1 microsecond', channels::jsonb, sent
    FROM unnest(%(time_us)s::bigint[], %(ids)s::bigint[], %(received_us)s::bigint[], %(channels)s::text[], %(sent)s::text[])
        AS own (time_us, id, received_us, channels, sent)
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*) FROM kept
