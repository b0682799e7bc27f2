-- The readings of a run that count; stands in place of a table.
SELECT r.time, (extract(epoch FROM r.time) * 1000000)::bigint AS time_us, r.id, r.received, r.sent, r.channels
FROM reading AS r
WHERE r.device_id = %(device)s
  AND (r.time, r.id) > (to_timestamp(0) + %(after_us)s::bigint * interval '1 microsecond', %(after_id)s::bigint)
  AND r.time < to_timestamp(0) + %(ended_us)s::bigint * interval '1 microsecond'
  AND /*counts*/
