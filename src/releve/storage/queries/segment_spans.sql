SELECT id, n, (extract(epoch FROM first) * 1000000)::bigint, (extract(epoch FROM last) * 1000000)::bigint, bytes
FROM segment
WHERE device_id = %(device)s AND replaced IS NULL
  AND first < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
  AND last >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
ORDER BY first, id
