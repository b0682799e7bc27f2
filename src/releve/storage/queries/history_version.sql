-- What lies in the spans of some devices' history, in few numbers: whatever is stored, sealed, merged or taken away there changes them.
-- Of rows of the old table it is only told that there are any.
SELECT sealed.ids, sealed.since, fresh.n, fresh.received, fresh.mixed,
       EXISTS (SELECT FROM reading AS row WHERE row.device_id = asked.device_id AND row.time >= asked.since AND row.time < asked.until)
FROM (
    SELECT device_id, place, to_timestamp(0) + from_us * interval '1 microsecond' AS since,
           to_timestamp(0) + to_us * interval '1 microsecond' AS until
    FROM unnest(%(devices)s::int[], %(from_us)s::bigint[], %(to_us)s::bigint[]) WITH ORDINALITY AS given (device_id, from_us, to_us, place)
) AS asked
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(id ORDER BY id), '{}') AS ids, coalesce(array_agg(segment.sealed ORDER BY id), '{}') AS since FROM segment
    WHERE device_id = asked.device_id AND replaced IS NULL AND first < asked.until AND last >= asked.since
) AS sealed
CROSS JOIN LATERAL (
    SELECT count(*) AS n, (extract(epoch FROM max(row.received)) * 1000000)::bigint AS received,
           bit_xor(hash_record_extended(ROW(row.time, row.id), 0)) AS mixed
    FROM fresh_reading AS row WHERE row.device_id = asked.device_id AND row.time >= asked.since AND row.time < asked.until
) AS fresh
ORDER BY asked.place
