-- Between which instants readings of a device lie that may have been received since: rows by themselves, segments as wholes.
SELECT (extract(epoch FROM min(first)) * 1000000)::bigint, (extract(epoch FROM max(last)) * 1000000)::bigint
FROM (
    SELECT min(time) AS first, max(time) AS last FROM fresh_reading
    WHERE device_id = %(device)s AND received >= to_timestamp(0) + %(since_us)s::bigint * interval '1 microsecond'
    UNION ALL
    SELECT min(time), max(time) FROM reading
    WHERE device_id = %(device)s AND received >= to_timestamp(0) + %(since_us)s::bigint * interval '1 microsecond'
    UNION ALL
    SELECT min(first), max(last) FROM segment
    WHERE device_id = %(device)s AND replaced IS NULL
      AND sealed >= to_timestamp(0) + %(since_us)s::bigint * interval '1 microsecond'
) AS arrived
