SELECT EXISTS (
    SELECT FROM fresh_reading
    WHERE device_id = %(device)s AND received >= to_timestamp(0) + %(since_us)s::bigint * interval '1 microsecond'
) OR EXISTS (
    SELECT FROM reading
    WHERE device_id = %(device)s AND received >= to_timestamp(0) + %(since_us)s::bigint * interval '1 microsecond'
) OR EXISTS (
    SELECT FROM segment
    WHERE device_id = %(device)s AND sealed >= to_timestamp(0) + %(since_us)s::bigint * interval '1 microsecond'
)
