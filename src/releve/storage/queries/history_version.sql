-- What lies in the spans of some devices' history, in few bytes: whatever is stored, sealed, merged, thinned or deleted there changes
-- them. Of rows of the old table it is only told whether there are any.
SELECT sealed.named, fresh.n, fresh.received, fresh.mixed,
       EXISTS (SELECT FROM reading AS row WHERE row.device_id = asked.device_id AND row.time >= asked.since AND row.time < asked.until)
FROM (
    SELECT device_id, place, to_timestamp(0) + from_us * interval '1 microsecond' AS since,
           to_timestamp(0) + to_us * interval '1 microsecond' AS until
    FROM unnest(%(devices)s::int[], %(from_us)s::bigint[], %(to_us)s::bigint[]) WITH ORDINALITY AS given (device_id, from_us, to_us, place)
) AS asked
CROSS JOIN LATERAL (
    SELECT md5(string_agg(concat_ws(' ', id, extract(epoch FROM segment.sealed), bytes, left_of.channels), ',' ORDER BY id)) AS named
    FROM segment CROSS JOIN LATERAL (
        -- a segment whose readings were deleted is there for its ladders, which go in their time
        SELECT CASE WHEN expired IS NOT NULL THEN coalesce((
            SELECT string_agg(channel, ' ' ORDER BY channel) FROM ladder
            WHERE ladder.device_id = segment.device_id AND ladder.segment_id = segment.id), '-')
        END AS channels
    ) AS left_of
    WHERE device_id = asked.device_id AND (replaced IS NULL OR expired IS NOT NULL)
      AND first < asked.until AND last >= asked.since
) AS sealed
CROSS JOIN LATERAL (
    SELECT count(*) AS n, (extract(epoch FROM max(row.received)) * 1000000)::bigint AS received,
           bit_xor(hash_record_extended(ROW(row.time, row.id), 0)) AS mixed
    FROM fresh_reading AS row WHERE row.device_id = asked.device_id AND row.time >= asked.since AND row.time < asked.until
) AS fresh
ORDER BY asked.place
