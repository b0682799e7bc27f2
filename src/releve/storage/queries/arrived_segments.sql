-- The segments of a span that were added since: only these can hold a reading that was received since and is no row.
SELECT id FROM segment
WHERE device_id = %(device)s AND replaced IS NULL
  AND sealed >= to_timestamp(0) + %(since_us)s::bigint * interval '1 microsecond'
  AND first < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
  AND last >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
ORDER BY first, id
