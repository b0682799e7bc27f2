-- The readings of a run that count; stands in place of a table.
SELECT r.time, (extract(epoch FROM r.time) * 1000000)::bigint AS time_us, r.id, r.received, r.sent, r.channels
FROM reading AS r
WHERE r.device_id = %(device)s
  AND (r.time, r.id) > (to_timestamp(0) + %(after_us)s::bigint * interval '1 microsecond', %(after_id)s::bigint)
  AND r.time < to_timestamp(0) + %(ended_us)s::bigint * interval '1 microsecond'
  AND (%(part_name)s = '' OR r.channels -> %(part_name)s::text = %(part_number)s::jsonb
       OR r.channels -> %(part_name)s::text = %(part_text)s::jsonb)
  AND NOT EXISTS (
    SELECT FROM unnest(
        %(x_since)s::timestamptz[], %(x_until)s::timestamptz[], %(x_reading)s::bigint[], %(x_name)s::text[], %(x_value)s::text[]
    ) AS x (since, until, reading, name, value)
    WHERE r.time >= x.since AND r.time < x.until AND (x.reading IS NULL OR r.id = x.reading)
      AND (x.name = '' OR r.channels ->> x.name = x.value)
  )
